/**
 * Tells whether the issue file is still what this store last saw or wrote (G16, G20).
 *
 * Content decides. A stat is believed only where it cannot be fooled: it equals the one on record, and the record was
 * `settled` when it was taken. Contract for whoever replaces it: never answer `Unchanged` for bytes that differ from the
 * record, and never answer at all from a file that git may be replacing.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import {
  type FileStamp,
  IssueFile,
  type IssueFileError,
  type Snapshot,
  type Standing
} from "../issue-file/IssueFile.ts"
import { type FileRecord, IssueStore, type StoreError } from "../store/IssueStore.ts"

export type Integrity =
  /** The bytes are those on record. The snapshot is there if the file had to be read to know. */
  | { readonly _tag: "Unchanged"; readonly snapshot: Option.Option<Snapshot> }
  | { readonly _tag: "Changed"; readonly snapshot: Snapshot }
  | { readonly _tag: "Missing" }

export class IntegrityChecker extends Context.Tag("effect-beads/IntegrityChecker")<
  IntegrityChecker,
  {
    /** By a stat alone, without the lock: true only if the file is surely what is on record. */
    readonly glance: Effect.Effect<boolean, StoreError | IssueFileError>
    /** Under the lock; waits while git is at work; reads the file if the stat does not settle it. */
    readonly check: Effect.Effect<Integrity, StoreError | IssueFileError>
    /**
     * Under the lock: the file on record, if a stat settles that it still stands there, so that its bytes are known
     * without being read; none if they were read already, too.
     */
    readonly standing: Effect.Effect<Option.Option<Standing>, StoreError | IssueFileError>
    /** Under the lock: the file as it is now, read at most once while nothing touches it. */
    readonly snapshot: Effect.Effect<Option.Option<Snapshot>, StoreError | IssueFileError>
    /** Lets the bytes kept for the next publish go. */
    readonly release: Effect.Effect<void>
  }
>() {}

/** A stamp as text, for the record. */
export const stampText = (stamp: FileStamp): string =>
  [stamp.device, stamp.inode, stamp.size, stamp.modifiedAt, stamp.changedAt].join(":")

/** What the store keeps of a file that was read. */
export const recordOf = (snapshot: Snapshot): FileRecord => ({
  hash: snapshot.hash,
  size: snapshot.bytes.byteLength,
  stamp: stampText(snapshot.stamp),
  settled: snapshot.settled
})

export const make = Effect.gen(function* () {
  const file = yield* IssueFile
  const store = yield* IssueStore
  // a change reads the file, its flush splices into the same bytes: kept between the two
  const kept = yield* Ref.make(Option.none<Snapshot>())

  const trusted = (record: Option.Option<FileRecord>, stamp: Option.Option<FileStamp>): boolean => {
    // neither file nor record: nothing was ever written, nothing has come
    if (Option.isNone(record)) return Option.isNone(stamp)
    return record.value.settled && Option.isSome(stamp) && stampText(stamp.value) === record.value.stamp
  }

  const snapshot = Effect.gen(function* () {
    const earlier = yield* Ref.get(kept)
    if (Option.isSome(earlier) && earlier.value.settled) {
      const stamp = yield* file.stamp
      if (Option.isSome(stamp) && stampText(stamp.value) === stampText(earlier.value.stamp)) return earlier
    }
    const record = yield* store.fileRecord
    // the stamp of the descriptor that is read settles what the bytes are: they need not be hashed to know
    const fresh = yield* file.readKnown(stamp =>
      Option.isSome(record) && trusted(record, Option.some(stamp)) ? record.value.hash : undefined
    )
    yield* Ref.set(kept, fresh)
    return fresh
  })

  return IntegrityChecker.of({
    glance: Effect.gen(function* () {
      return trusted(yield* store.fileRecord, yield* file.stamp)
    }),
    check: Effect.gen(function* () {
      const record = yield* store.fileRecord
      if (trusted(record, yield* file.stamp)) {
        return { _tag: "Unchanged", snapshot: Option.none() } as const
      }
      const current = yield* snapshot
      if (Option.isNone(current)) return { _tag: "Missing" } as const
      return Option.isSome(record) && record.value.hash === current.value.hash
        ? ({ _tag: "Unchanged", snapshot: current } as const)
        : ({ _tag: "Changed", snapshot: current.value } as const)
    }),
    standing: Effect.gen(function* () {
      if (Option.isSome(yield* Ref.get(kept))) return Option.none()
      const record = yield* store.fileRecord
      const stamp = yield* file.stamp
      return Option.isSome(record) && Option.isSome(stamp) && trusted(record, stamp)
        ? Option.some({ hash: record.value.hash, stamp: stamp.value, settled: true })
        : Option.none()
    }),
    snapshot,
    release: Ref.set(kept, Option.none())
  })
})

export const layer: Layer.Layer<IntegrityChecker, never, IssueFile | IssueStore> = Layer.effect(IntegrityChecker, make)
