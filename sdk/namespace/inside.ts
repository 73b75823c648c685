import { currentIdMap } from './idmap.js'

/** Whether this process is root, be it in a user namespace or of the machine: then it may mount and give files away. */
export function isInside(): boolean {
  return process.geteuid?.() === 0
}

/** Whether this process is the machine's root: every id stands for itself. */
export function isRealRoot(): boolean {
  return isInside() && !isInUserNamespace()
}

/** Whether the ids that this process sees are not the machine's (user_namespaces(7), "uid_map"). */
export function isInUserNamespace(): boolean {
  const [first] = currentIdMap().uids
  return !(first?.inside === 0 && first.outside === 0 && first.size === 4294967295)
}
