/**
 * A plugin for dnf 4, by its plugin interface ("DNF Plugin Interface" of its API reference): what dnf itself only prints, or
 * hides, it tells as lines of JSON on descriptor 3. It holds a transaction to a lock, and takes packages from the store's cache.
 *
 * Beside it lies `settings.json`, see `PluginSettings`.
 */
export const dnfPlugin = `
import binascii
import hashlib
import json
import os
import re
import shutil
import stat

import dnf
import dnf.callback
import dnf.cli
import dnf.exceptions
import dnf.subject
import dnf.transaction
import hawkey
import rpm


def tell(event, **facts):
    os.write(3, (json.dumps(dict(facts, event=event)) + '\\n').encode())


def checksum_of(pkg):
    kind, value = pkg.chksum if pkg.chksum else (None, b'')
    if kind is not None and hawkey.chksum_name(kind) == 'sha256':
        return 'sha256:' + binascii.hexlify(value).decode()
    return None


def sum_file(path):
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        for chunk in iter(lambda: file.read(1 << 20), b''):
            digest.update(chunk)
    return 'sha256:' + digest.hexdigest()


def facts_of(pkg):
    return dict(name=pkg.name, epoch=pkg.epoch, version=pkg.version, release=pkg.release, arch=pkg.arch,
                repository=pkg.reponame, location=pkg.location or os.path.basename(pkg.localPkg()),
                checksum=checksum_of(pkg), bytes=pkg.downloadsize, built=pkg.buildtime)


def nevra_of(one):
    return '%s-%s:%s-%s.%s' % (one['name'], one.get('epoch', 0), one['version'], one.get('release', ''), one['arch'])


class Download(dnf.callback.DownloadProgress):
    def __init__(self):
        self.done = {}
        self.total = 0

    def start(self, total_files, total_size, total_drpms=0):
        self.total = total_size

    def progress(self, payload, done):
        self.done[str(payload)] = done
        tell('bytes', bytes=sum(self.done.values()), total=self.total)

    def end(self, payload, status, msg):
        if status == dnf.callback.STATUS_FAILED:
            tell('text', text='%s: %s' % (payload, msg))
        else:
            self.progress(payload, int(payload.download_size))


class Display(dnf.callback.TransactionProgress):
    def __init__(self, plugin):
        super(Display, self).__init__()
        self.plugin = plugin
        self.last = None

    def progress(self, package, action, ti_done, ti_total, ts_done, ts_total):
        self.plugin.listen()
        now = (str(package), ts_done)
        if package and now != self.last and action != dnf.transaction.PKG_VERIFY:
            self.last = now
            tell('step', package=str(package), done=ts_done, total=ts_total)

    def error(self, message):
        self.plugin.listen()
        tell('failed', text=message)


class Builder(dnf.Plugin):
    name = 'builder'

    def __init__(self, base, cli):
        super(Builder, self).__init__(base, cli)
        os.set_inheritable(3, False)
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'settings.json')) as file:
            self.settings = json.load(file)
        self.said = None
        self.heard = ''
        if cli is not None:
            Fetch.plugin = self
            cli.register_command(Fetch)

    def config(self):
        if self.cli is not None:
            self.cli.demands.transaction_display = Display(self)

    def sack(self):
        lock = self.settings['lock']
        if lock is None:
            return
        available = self.base.sack.query().available()
        named = available.filter(name=[one['name'] for one in lock])
        kept, found = [], set()
        for pkg in named:
            for one in lock:
                if self.is_locked(pkg, one):
                    kept.append(pkg)
                    found.add(one['checksum'])
        gone = [one for one in lock if one['checksum'] not in found]
        files = [self.cached(one['checksum']) for one in gone]
        if not all(files):
            tell('gone', packages=[one for one, file in zip(gone, files) if not file])
            raise dnf.exceptions.Error('a package of the lock is gone')
        self.base.sack.add_excludes(available.difference(available.filter(pkg=kept)) if kept else available)
        if files:
            self.base.add_remote_rpms(files)

    def is_locked(self, pkg, one):
        checksum = checksum_of(pkg)
        if checksum is not None:
            return checksum == one['checksum']
        return nevra_of(facts_of(pkg)) == nevra_of(one)

    def cached(self, checksum):
        path = os.path.join(self.settings['packages'], checksum.replace('sha256:', '') + '.rpm')
        return path if os.path.exists(path) else None

    def coming(self):
        return [item.pkg for item in self.base.transaction or [] if item.action in dnf.transaction.FORWARD_ACTIONS]

    def going(self):
        return [item.pkg for item in self.base.transaction or [] if item.action in dnf.transaction.BACKWARD_ACTIONS]

    def resolved(self):
        coming = self.coming()
        tell('resolved', packages=[facts_of(pkg) for pkg in coming], removed=[str(pkg) for pkg in self.going()])
        for pkg in coming:
            self.take(pkg)
        if self.settings['epoch'] is None:
            built = [pkg.buildtime for pkg in coming + list(self.base.sack.query().installed())]
            os.environ['SOURCE_DATE_EPOCH'] = str(max(built + [0]))
        if self.cli is not None:
            self.base.output.progress = Download()

    def take(self, pkg):
        checksum = checksum_of(pkg)
        file = self.cached(checksum) if checksum else None
        if file is None or pkg._is_local_pkg():
            return
        path = pkg.localPkg()
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.exists(path):
            os.link(file, path)

    def pre_transaction(self):
        coming = self.coming()
        packages = self.tell_downloaded(coming)
        lock = self.settings['lock']
        if lock is not None:
            wanted, found = set(one['checksum'] for one in lock), set(one['checksum'] for one in packages)
            there = set(nevra_of(dict(name=pkg.name, epoch=pkg.epoch, version=pkg.version, release=pkg.release,
                                      arch=pkg.arch)) for pkg in self.base.sack.query().installed())
            missing = [one for one in lock if one['checksum'] not in found and nevra_of(one) not in there]
            more = [one for one in packages if one['checksum'] not in wanted]
            if missing or more:
                tell('other', missing=missing, more=more)
                raise dnf.exceptions.Error('the transaction is not that of the lock')
        for pkg in coming:
            self.check(pkg)
        self.hear()

    # dnf shows what rpm and the scripts say only where nothing fails.
    def hear(self):
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'said')
        self.said = open(path, 'w+b')
        self.reading = open(path, 'rb')
        rpm.setLogFile(self.said)
        self.base._ts.setScriptFd(self.said)

    def listen(self):
        if self.said is None:
            return
        text = self.reading.read().decode('utf-8', 'replace')
        if text:
            tell('text', text=text)
            self.heard += text

    # In a transaction this process stands in the root, where packages are not to be found.
    def transaction(self):
        self.listen()
        tell('ended')
        self.look(self.heard)

    def tell_downloaded(self, coming):
        packages = [dict(facts_of(pkg), checksum=checksum_of(pkg) or sum_file(pkg.localPkg()), path=pkg.localPkg())
                    for pkg in coming]
        tell('downloaded', packages=packages, epoch=int(os.environ.get('SOURCE_DATE_EPOCH', 0)))
        return packages

    def check(self, pkg):
        files = self.files_of(pkg)
        devices = [path for path, mode, user, group in files if stat.S_ISCHR(mode) or stat.S_ISBLK(mode)]
        if devices and not self.settings['devices']:
            tell('devices', package=str(pkg), paths=devices)
            raise dnf.exceptions.Error('devices cannot be made')

    def files_of(self, pkg):
        ts = rpm.TransactionSet()
        ts.setVSFlags(-1)
        with open(pkg.localPkg(), 'rb') as file:
            header = ts.hdrFromFdno(file.fileno())
        columns = (rpm.RPMTAG_FILENAMES, rpm.RPMTAG_FILEMODES, rpm.RPMTAG_FILEUSERNAME, rpm.RPMTAG_FILEGROUPNAME)
        return [(text(path), mode & 0xffff, text(user), text(group)) for path, mode, user, group
                in zip(*[header[column] for column in columns])]

    def look(self, said):
        for match in re.finditer('unpacking of archive failed(?: on file (.*?)(?:;[0-9a-f]{8})?)?: (.*)', said):
            self.tell_file(match.group(1), match.group(2))
        for match in re.finditer('(user|group) (\\\\S+) does not exist - using', said):
            kind, name = match.groups()
            column = 2 if kind == 'user' else 3
            owners = [str(pkg) for pkg in self.coming() if any(one[column] == name for one in self.files_of(pkg))]
            tell('missing', kind=kind, name=name, packages=owners)

    def tell_file(self, path, reason):
        for pkg in self.coming():
            for name, mode, user, group in self.files_of(pkg):
                if name == path:
                    uid, gid = self.id_of('passwd', user), self.id_of('group', group)
                    tell('unpack', package=str(pkg), path=path, reason=reason, user=user, group=group, uid=uid, gid=gid)
                    return
        tell('unpack', package='', path=path or '', reason=reason)

    def id_of(self, database, name):
        try:
            with open(os.path.join(self.base.conf.installroot, 'etc', database), encoding='latin-1') as file:
                for line in file:
                    fields = line.split(':')
                    if fields[0] == name:
                        return int(fields[2])
        except (OSError, ValueError, IndexError):
            pass
        return 0 if name == 'root' else None


# dnf's own is in a plugin of another package.
class Fetch(dnf.cli.Command):
    aliases = ('download',)
    summary = 'Download packages'

    @staticmethod
    def set_argparser(parser):
        parser.add_argument('packages', nargs='+')

    def configure(self):
        self.cli.demands.sack_activation = True
        self.cli.demands.available_repos = True
        self.cli.demands.load_system_repo = False

    def run(self):
        coming = []
        for word in self.opts.packages:
            found = list(dnf.subject.Subject(word).get_best_query(self.base.sack).available().latest())
            if not found:
                raise dnf.exceptions.Error('Unable to find a match: ' + word)
            coming += found
        tell('resolved', packages=[facts_of(pkg) for pkg in coming], removed=[])
        for pkg in coming:
            self.plugin.take(pkg)
        self.base.download_packages(coming, Download())
        self.base.gpgsigcheck(coming)
        for pkg in sorted(coming):
            place = os.path.join(self.plugin.settings['destination'], os.path.basename(pkg.location))
            shutil.copyfile(pkg.localPkg(), place)
            print(place)
        self.plugin.tell_downloaded(coming)


def text(value):
    return value.decode('utf-8', 'replace') if isinstance(value, bytes) else value
`
