/**
 * Comparing files by what `stat` tells: when equal stamps mean equal bytes (G20), and the modification time that a
 * publish sets so that its file can be trusted at once.
 */
import type { DiskStat } from "./Disk.ts"

/** What `stat` tells of a file's identity and content. Nanoseconds as decimal text. */
export interface FileStamp {
  readonly device: string
  readonly inode: string
  readonly size: number
  readonly modifiedAt: string
  readonly changedAt: string
}

export const toStamp = (stat: DiskStat): FileStamp => ({
  device: stat.device.toString(),
  inode: stat.inode.toString(),
  size: Number(stat.size),
  modifiedAt: stat.modifiedAt.toString(),
  changedAt: stat.changedAt.toString()
})

/** The same file, not written to since. Linking and renaming it change `changedAt` only. */
export const isSameContent = (one: FileStamp, other: FileStamp): boolean =>
  one.device === other.device &&
  one.inode === other.inode &&
  one.size === other.size &&
  one.modifiedAt === other.modifiedAt

/** The same file, with nothing done to it since. */
export const isSameStamp = (one: FileStamp, other: FileStamp): boolean =>
  isSameContent(one, other) && one.changedAt === other.changedAt

const second = 1_000_000_000n
const sixtyFourth = second / 64n

/**
 * The modification time of a publish, in seconds: an odd number of 64ths of the present second.
 *
 * A clock that ticks in nanoseconds shows one such time in some 30 million, one that ticks in milliseconds or slower
 * none; a double holds it exactly, and so does every file system that keeps microseconds. It lies in the present second
 * because git, which compares seconds, would else take a file that changed right after `git add` for the added one. And
 * each publish moves on from the file it replaces: within one tick of the clock an inode number and a size may come
 * again, this time does not before 32 publishes.
 */
export const publishTime = (nowMillis: number, replaced: bigint | undefined): number => {
  const before = replaced === undefined ? 0 : Number((replaced % second) / sixtyFourth)
  return Math.floor(nowMillis / 1000) + (((before + 2) % 64) | 1) / 64
}

const isPublishTime = (nanoseconds: bigint): boolean =>
  nanoseconds % sixtyFourth === 0n && (nanoseconds / sixtyFourth) % 2n === 1n

/** Whether a file still is what a publish of so many bytes left: nobody has written to it between rename and look. */
export const isPublished = (stamp: FileStamp, size: number): boolean =>
  stamp.size === size && isPublishTime(BigInt(stamp.modifiedAt))

/** The clocks of file systems are coarse: what changed within this time may change again without a trace. */
const racyNanoseconds = 2n * second

/**
 * Whether a file that had this stamp when it was looked at, from `nowMillis` on, has other bytes only if it has another
 * stamp. Both times have to lie back: that of the last change, unlike the other, no program can set.
 */
export const isSettled = (stamp: FileStamp, nowMillis: number): boolean => {
  const quietSince = BigInt(Math.floor(nowMillis)) * 1_000_000n - racyNanoseconds
  const modifiedAt = BigInt(stamp.modifiedAt)
  return isPublishTime(modifiedAt) || (modifiedAt < quietSince && BigInt(stamp.changedAt) < quietSince)
}
