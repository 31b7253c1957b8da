/**
 * The edge to `node:fs`: the few operations that the issue file and its lock need, and nothing of what they mean.
 *
 * What waits for the disk, fsync, runs on the thread pool and cannot be interrupted half-way: an effect that ended has
 * settled, so a lock freed after it never uncovers a write still under way. Everything else takes less than the way to the
 * pool and back. What must not be torn apart (look, link, rename) is no effect, and throws `DiskFailure`; `together` turns
 * a block of it into one.
 *
 * An interface, so that a test can let another program act between two calls.
 */

import * as Fs from "node:fs"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A system call failed. */
export class DiskFailure extends Schema.TaggedError<DiskFailure>()("DiskFailure", {
  path: Schema.String,
  operation: Schema.String,
  code: Schema.String,
  cause: Schema.Defect
}) {
  override get message() {
    return `${this.operation} failed (${this.code}) on ${this.path}`
  }
}

/** What `stat` tells. Times in nanoseconds. */
export interface DiskStat {
  readonly kind: "file" | "directory" | "link" | "other"
  readonly device: bigint
  readonly inode: bigint
  readonly size: bigint
  readonly mode: number
  readonly owner: number
  readonly group: number
  readonly modifiedAt: bigint
  readonly changedAt: bigint
  readonly bornAt: bigint
}

export interface Disk {
  readonly open: (path: string, flags: number, mode?: number) => Effect.Effect<number, DiskFailure>
  readonly close: (path: string, descriptor: number) => Effect.Effect<void, DiskFailure>
  /** Bytes read from this position of the file on, as many as `into` has room for or fewer; 0 at the end of the file. */
  readonly read: (
    path: string,
    descriptor: number,
    into: Uint8Array,
    position: number
  ) => Effect.Effect<number, DiskFailure>
  /** How many of the bytes were written from this position of the file on; may be fewer than all. */
  readonly write: (
    path: string,
    descriptor: number,
    bytes: Uint8Array,
    position: number
  ) => Effect.Effect<number, DiskFailure>
  readonly fsync: (path: string, descriptor: number) => Effect.Effect<void, DiskFailure>

  /** Closes a file that may have no name any more: to free it takes long, and nobody has to wait for that. */
  readonly letGo: (descriptor: number) => void
  readonly listNow: (directory: string) => ReadonlyArray<string>
  /** Of the path itself, links not followed; undefined if there is nothing. */
  readonly stat: (path: string) => DiskStat | undefined
  readonly statOpen: (path: string, descriptor: number) => DiskStat
  readonly setMode: (path: string, descriptor: number, mode: number) => void
  readonly setOwner: (path: string, descriptor: number, owner: number, group: number) => void
  /** Seconds since the epoch. */
  readonly setModified: (path: string, descriptor: number, seconds: number) => void
  readonly openNow: (path: string, flags: number) => number
  readonly closeNow: (path: string, descriptor: number) => void
  readonly link: (path: string, newPath: string) => void
  readonly rename: (path: string, newPath: string) => void
  readonly unlink: (path: string) => void
  /** Its parent must exist, and nothing of its name. */
  readonly makeDirectory: (path: string) => void
  readonly readLink: (path: string) => string
  /** The path with every link in it resolved. */
  readonly realPath: (path: string) => string
  /** The first few KiB, as text. */
  readonly readHead: (path: string) => string
  /** Throws unless this process may read and write there. */
  readonly assertWritable: (path: string) => void
}

/** Opened for reading: no link is followed, no pipe waited for. */
export const openToRead = Fs.constants.O_RDONLY | Fs.constants.O_NOFOLLOW | Fs.constants.O_NONBLOCK
/** Opened for writing: created here or not at all. */
export const openToCreate = Fs.constants.O_WRONLY | Fs.constants.O_CREAT | Fs.constants.O_EXCL | Fs.constants.O_NOFOLLOW
/** The mode of a file that replaces none. */
export const newFileMode = 0o644

/** Opened to fsync a directory. */
const openDirectory = Fs.constants.O_RDONLY | Fs.constants.O_DIRECTORY

/** These say that the file system, or its policy, has no hard links to give; not that something went wrong. */
const noLinks = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"])

/** Whether what `link` threw means that links cannot be made here. */
export const isWithoutLinks = (cause: unknown): boolean => cause instanceof DiskFailure && noLinks.has(cause.code)

const failure = (operation: string, path: string, cause: unknown): DiskFailure => {
  const code =
    typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string"
      ? cause.code
      : "UNKNOWN"
  return new DiskFailure({ path, operation, code, cause })
}

const pooled = <A>(
  operation: string,
  path: string,
  start: (done: (cause: NodeJS.ErrnoException | null, value: A) => void) => void
): Effect.Effect<A, DiskFailure> =>
  Effect.uninterruptible(
    Effect.async<A, DiskFailure>(resume =>
      start((cause, value) =>
        resume(cause === null ? Effect.succeed(value) : Effect.fail(failure(operation, path, cause)))
      )
    )
  )

const now = <A>(operation: string, path: string, run: () => A): A => {
  try {
    return run()
  } catch (cause) {
    throw failure(operation, path, cause)
  }
}

const toStat = (stat: Fs.BigIntStats): DiskStat => ({
  kind: stat.isFile() ? "file" : stat.isDirectory() ? "directory" : stat.isSymbolicLink() ? "link" : "other",
  device: stat.dev,
  inode: stat.ino,
  size: stat.size,
  mode: Number(stat.mode & 0o7777n),
  owner: Number(stat.uid),
  group: Number(stat.gid),
  modifiedAt: stat.mtimeNs,
  changedAt: stat.ctimeNs,
  bornAt: stat.birthtimeNs
})

const headLength = 4096

export const nodeDisk: Disk = {
  open: (path, flags, mode) => together(() => now("open", path, () => Fs.openSync(path, flags, mode))),
  close: (path, descriptor) => together(() => now("close", path, () => Fs.closeSync(descriptor))),
  read: (path, descriptor, into, position) =>
    together(() => now("read", path, () => Fs.readSync(descriptor, into, 0, into.length, position))),
  write: (path, descriptor, bytes, position) =>
    together(() => now("write", path, () => Fs.writeSync(descriptor, bytes, 0, bytes.length, position))),
  fsync: (path, descriptor) => pooled("fsync", path, done => Fs.fsync(descriptor, done)),

  letGo: descriptor => Fs.close(descriptor, () => {}),
  listNow: directory => now("list", directory, () => Fs.readdirSync(directory)),

  stat: path =>
    now("stat", path, () => {
      const stat = Fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
      return stat === undefined ? undefined : toStat(stat)
    }),
  statOpen: (path, descriptor) => now("stat", path, () => toStat(Fs.fstatSync(descriptor, { bigint: true }))),
  setMode: (path, descriptor, mode) => now("chmod", path, () => Fs.fchmodSync(descriptor, mode)),
  setOwner: (path, descriptor, owner, group) => now("chown", path, () => Fs.fchownSync(descriptor, owner, group)),
  setModified: (path, descriptor, seconds) => now("utime", path, () => Fs.futimesSync(descriptor, seconds, seconds)),
  openNow: (path, flags) => now("open", path, () => Fs.openSync(path, flags)),
  closeNow: (path, descriptor) => now("close", path, () => Fs.closeSync(descriptor)),
  link: (path, newPath) => now("link", path, () => Fs.linkSync(path, newPath)),
  rename: (path, newPath) => now("rename", newPath, () => Fs.renameSync(path, newPath)),
  unlink: path => now("unlink", path, () => Fs.unlinkSync(path)),
  makeDirectory: path => now("mkdir", path, () => Fs.mkdirSync(path)),
  readLink: path => now("readlink", path, () => Fs.readlinkSync(path)),
  realPath: path => now("realpath", path, () => Fs.realpathSync.native(path)),
  readHead: path =>
    now("read", path, () => {
      const descriptor = Fs.openSync(path, openToRead)
      try {
        const head = Buffer.alloc(headLength)
        return head.toString("utf8", 0, Fs.readSync(descriptor, head, 0, headLength, 0))
      } finally {
        Fs.closeSync(descriptor)
      }
    }),
  assertWritable: path => now("access", path, () => Fs.accessSync(path, Fs.constants.R_OK | Fs.constants.W_OK))
}

/** One synchronous block: nothing of this process runs in between. What it throws of `DiskFailure` is its error. */
export const together = <A>(block: () => A): Effect.Effect<A, DiskFailure> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(block())
    } catch (cause) {
      return cause instanceof DiskFailure ? Effect.fail(cause) : Effect.die(cause)
    }
  })

/** For what may fail without harm. Synchronous. */
export const quietly = (block: () => void): void => {
  try {
    block()
  } catch (cause) {
    if (!(cause instanceof DiskFailure)) throw cause
  }
}

/** Makes the names in a directory last: what was created, renamed or removed there. */
export const fsyncDirectory = (disk: Disk, directory: string): Effect.Effect<void, DiskFailure> =>
  Effect.suspend(() =>
    Effect.acquireUseRelease(
      disk.open(directory, openDirectory),
      descriptor => disk.fsync(directory, descriptor),
      descriptor => Effect.ignore(disk.close(directory, descriptor))
    )
  )
