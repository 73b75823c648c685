/**
 * A name as registries.conf and logins spell it: Docker Hub has several hosts, `docker.io` in names, and its images without
 * a namespace are in `library` (containers-registries.conf(5), Normalization of docker.io references).
 */
export function canonicalName(
  host: string,
  repository: string,
): { readonly host: string; readonly repository: string } {
  if (!isDockerHub(host)) return { host, repository }
  const isBare = repository !== '' && !repository.includes('/')
  return { host: 'docker.io', repository: isBare ? `library/${repository}` : repository }
}

/** Where requests for a host go. */
export function requestHost(host: string): string {
  return isDockerHub(host) ? 'registry-1.docker.io' : host
}

export function isDockerHub(host: string): boolean {
  return host === 'docker.io' || host === 'index.docker.io' || host === 'registry-1.docker.io'
}

/** The key that docker itself stores logins to Docker Hub under. */
export const dockerHubKey = 'https://index.docker.io/v1/'
