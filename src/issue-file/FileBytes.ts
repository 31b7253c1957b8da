/**
 * All the bytes of an open file, in and out, and their hash: by pieces of about a millisecond of work, between which
 * everything else of the process gets its turn.
 *
 * They are read, hashed and written by this thread. What goes through the memory of the system takes less than handing it
 * to the thread pool does, and two threads that wait for each other are the slower the busier the machine is; what waits
 * for the disk, fsync, is done by the pool.
 */
import * as Crypto from "node:crypto"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Disk } from "./Disk.ts"

/** Read, hashed and written at a time. */
export const pieceLength = 1 << 20

/** An open file, and the path to name in an error. */
export interface OpenFile {
  readonly path: string
  readonly descriptor: number
}

/** Until the event loop has been round. */
const turn = Effect.async<void>(resume => {
  setImmediate(() => resume(Effect.void))
})

/** All of an open file, with its hash unless that is known; none if it was cut off meanwhile. */
export const readAll = Effect.fnUntraced(function* (disk: Disk, file: OpenFile, size: number, known?: string) {
  const bytes = Buffer.allocUnsafe(size)
  const hash = known === undefined ? Crypto.createHash("sha256") : undefined
  for (let offset = 0; offset < size; ) {
    if (offset > 0) yield* turn
    const piece = bytes.subarray(offset, offset + pieceLength)
    const count = yield* disk.read(file.path, file.descriptor, piece, offset)
    if (count === 0) return Option.none()
    hash?.update(piece.subarray(0, count))
    offset += count
  }
  return Option.some({ bytes, hash: known ?? hash?.digest("hex") ?? "" })
})

/** Every byte, however few the system takes at a time, from this position of the file on; gives the one behind them. */
export const writeAll = Effect.fnUntraced(function* (
  disk: Disk,
  file: OpenFile,
  pieces: ReadonlyArray<Uint8Array>,
  from = 0,
  hash?: Crypto.Hash
) {
  let position = from
  for (const bytes of pieces) {
    for (let offset = 0; offset < bytes.length; ) {
      if (offset > 0) yield* turn
      const piece = bytes.subarray(offset, offset + pieceLength)
      const count = yield* disk.write(file.path, file.descriptor, piece, position)
      hash?.update(piece.subarray(0, count))
      offset += count
      position += count
    }
  }
  return position
})

/** As `writeAll`; gives the SHA-256 of the bytes, lower-case hex. */
export const writeHashed = Effect.fnUntraced(function* (disk: Disk, file: OpenFile, pieces: ReadonlyArray<Uint8Array>) {
  const hash = Crypto.createHash("sha256")
  yield* writeAll(disk, file, pieces, 0, hash)
  return hash.digest("hex")
})

/** Makes one file of another, part by part, so that neither is ever in memory whole. */
export interface Edit {
  /**
   * What comes next in the file, and what is to be written for it: views of `bytes`, and texts. Of `bytes` only so many
   * are used up; the others are shown again with what comes behind them, unless this is the `last` part. Undefined: it
   * cannot be done part by part.
   */
  readonly next: (
    bytes: Buffer,
    last: boolean
  ) => { readonly pieces: ReadonlyArray<Uint8Array>; readonly used: number } | undefined
}

/** What `editAll` came to. Unless it is `Written`, what it wrote is of no use. */
export type Edited =
  | { readonly _tag: "Written"; readonly hash: string; readonly size: number }
  /** It cannot be done part by part. */
  | { readonly _tag: "GivenUp" }
  /** Another program has cut the file off. */
  | { readonly _tag: "CutOff" }

const givenUp: Edited = { _tag: "GivenUp" }
const cutOff: Edited = { _tag: "CutOff" }

/** Writes what the edit makes of the `size` bytes of a file, which are read into `room` part by part. */
export const editAll = Effect.fnUntraced(function* (
  disk: Disk,
  from: OpenFile,
  size: number,
  to: OpenFile,
  edit: Edit,
  room: Buffer
) {
  const hash = Crypto.createHash("sha256")
  let written = 0
  // what the edit has left of the part before stands at the beginning
  let left = 0
  for (let offset = 0, last = false; !last; ) {
    const free = room.subarray(left, left + size - offset)
    // not even one line fits in
    if (free.length === 0 && offset < size) return givenUp
    const count = yield* disk.read(from.path, from.descriptor, free, offset)
    if (count === 0 && offset < size) return cutOff
    offset += count
    last = offset === size
    const bytes = room.subarray(0, left + count)
    const made = edit.next(bytes, last)
    if (made === undefined) return givenUp
    written = yield* writeAll(disk, to, made.pieces, written, hash)
    left = bytes.length - made.used
    room.copyWithin(0, made.used, bytes.length)
    yield* turn
  }
  const done: Edited = { _tag: "Written", hash: hash.digest("hex"), size: written }
  return done
})
