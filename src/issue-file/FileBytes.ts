/**
 * All the bytes of an open file, in and out, and their hash: by pieces, so that the thread pool reads and writes while
 * this thread hashes, and nothing else of the process waits long.
 */
import * as Crypto from "node:crypto"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Disk } from "./Disk.ts"

/** Read and hashed at a time: about a millisecond of work. */
const chunkLength = 1 << 20

/** Written at a time, by the pool: few, so that they are through, and their fsync begun, while the bytes are hashed. */
const writeLength = 8 << 20

/** All of an open file, with its hash unless that is known; none if it was cut off meanwhile. */
export const readAll = Effect.fnUntraced(function* (
  disk: Disk,
  path: string,
  descriptor: number,
  size: number,
  known?: string
) {
  const bytes = Buffer.allocUnsafe(size)
  const hash = known === undefined ? Crypto.createHash("sha256") : undefined
  for (let offset = 0; offset < size; ) {
    const length = known === undefined ? Math.min(chunkLength, size - offset) : size - offset
    const count = yield* disk.read(path, descriptor, bytes, offset, length)
    if (count === 0) return Option.none()
    hash?.update(bytes.subarray(offset, offset + count))
    offset += count
  }
  return Option.some({ bytes, hash: known ?? hash?.digest("hex") ?? "" })
})

/** Every byte, however few the system takes at a time. */
export const writeAll = Effect.fnUntraced(function* (
  disk: Disk,
  path: string,
  descriptor: number,
  pieces: ReadonlyArray<Uint8Array>
) {
  for (const bytes of pieces) {
    for (let offset = 0; offset < bytes.length; ) {
      offset += yield* disk.write(path, descriptor, bytes, offset, Math.min(writeLength, bytes.length - offset))
    }
  }
})

/** Until the event loop has been round: what the pool has finished is noticed, and what comes after it begun. */
const turn = Effect.async<void>(resume => {
  setImmediate(() => resume(Effect.void))
})

/** SHA-256, lower-case hex, of bytes that are being written: the longest of all the work, and the pool does the rest. */
export const hashWhile = Effect.fnUntraced(function* (pieces: ReadonlyArray<Uint8Array>) {
  const hash = Crypto.createHash("sha256")
  for (const bytes of pieces) {
    for (let offset = 0; offset < bytes.length; offset += chunkLength) {
      yield* turn
      hash.update(bytes.subarray(offset, offset + chunkLength))
    }
  }
  return hash.digest("hex")
})
