/**
 * What a disk may hold after power was lost: a model of one directory, of the calls that change it, and of which of them
 * last.
 *
 * The model is the weakest promise that POSIX makes. An fsync of a file makes all earlier writes to it last, one of the
 * directory all earlier changes of names in it; every other call has happened or not, each by itself and in any order. A
 * write may have happened for some sectors of 512 bytes, and a file may have grown without them (zeros stand there). A
 * rename is atomic. ext4, xfs and btrfs keep names in order, and so allow fewer of these states, and no other.
 *
 * Not in the model: a disk that says that it wrote what it did not, sectors that are written half, and modes and times.
 */
import { createHash } from "node:crypto"
import type { Random } from "./budget.ts"

/** What is under names. Files are told by numbers, as inodes. */
export interface Held {
  readonly names: ReadonlyMap<string, number>
  readonly files: ReadonlyMap<number, Buffer>
}

/** A call that changes the disk or makes changes last. */
export type Change =
  | { readonly _tag: "Write"; readonly file: number; readonly at: number; readonly bytes: Buffer }
  | { readonly _tag: "Resize"; readonly file: number; readonly size: number }
  /** Names that lead elsewhere from now on, or nowhere; all at once. */
  | { readonly _tag: "Names"; readonly to: ReadonlyArray<readonly [name: string, file: number | undefined]> }
  | { readonly _tag: "Sync"; readonly file: number }
  | { readonly _tag: "SyncNames" }

/** Of a change that nothing made last: it happened, it did not, or only some of it did. */
export type Fate = "kept" | "lost" | "size" | { readonly sectors: (sector: number) => boolean; readonly grown: boolean }

const sectorSize = 512

/** Indices of the changes that an end of power after all of these may undo. */
export const pending = (changes: ReadonlyArray<Change>): ReadonlyArray<number> => {
  const out: Array<number> = []
  const synced = new Set<number>()
  let namesSynced = false
  for (let i = changes.length - 1; i >= 0; i--) {
    const change = changes[i]
    if (change?._tag === "Sync") synced.add(change.file)
    else if (change?._tag === "SyncNames") namesSynced = true
    else if (change?._tag === "Names" ? !namesSynced : change !== undefined && !synced.has(change.file)) out.push(i)
  }
  return out.reverse()
}

/** A file while changes are made to it: a buffer with room to grow. */
interface Growing {
  room: Buffer
  size: number
}

const resize = (file: Growing, size: number): void => {
  if (size > file.room.length) {
    const room = Buffer.alloc(size * 2)
    file.room.copy(room, 0, 0, file.size)
    file.room = room
  }
  // what is given back must not show again
  if (size < file.size) file.room.fill(0, size, file.size)
  file.size = size
}

const write = (file: Growing, at: number, bytes: Buffer, fate: Exclude<Fate, "lost">): void => {
  const end = at + bytes.length
  const before = file.size
  resize(file, Math.max(before, end))
  if (fate === "size") return
  if (fate === "kept") {
    bytes.copy(file.room, at)
    return
  }
  let last = fate.grown ? end : 0
  for (let from = at; from < end; ) {
    const sector = Math.floor(from / sectorSize)
    const to = Math.min(end, (sector + 1) * sectorSize)
    if (fate.sectors(sector)) {
      bytes.copy(file.room, from, from - at, to - at)
      last = to
    }
    from = to
  }
  resize(file, Math.max(before, last))
}

/** The disk after the changes, each as its fate is. */
export const after = (
  held: Held,
  changes: ReadonlyArray<Change>,
  fateOf: (index: number) => Fate = () => "kept"
): Held => {
  const names = new Map(held.names)
  const changed = new Map<number, Growing>()
  const growing = (file: number): Growing => {
    const before = held.files.get(file) ?? Buffer.alloc(0)
    const known = changed.get(file) ?? { room: Buffer.from(before), size: before.length }
    changed.set(file, known)
    return known
  }
  changes.forEach((change, index) => {
    const fate = fateOf(index)
    if (fate === "lost") return
    if (change._tag === "Names") {
      for (const [name, file] of change.to) {
        if (file === undefined) names.delete(name)
        else names.set(name, file)
      }
    } else if (change._tag === "Write") write(growing(change.file), change.at, change.bytes, fate)
    else if (change._tag === "Resize") resize(growing(change.file), change.size)
  })
  const files = [...changed].map(([file, { room, size }]) => [file, room.subarray(0, size)] as const)
  return { names, files: new Map([...held.files, ...files]) }
}

export const contentOf = ({ files, names }: Held, name: string): Buffer | undefined => {
  const file = names.get(name)
  return file === undefined ? undefined : (files.get(file) ?? Buffer.alloc(0))
}

/** Equal for disks that nobody can tell apart. */
export const fingerprint = (held: Held): string => {
  const hash = createHash("sha256")
  for (const name of [...held.names.keys()].sort()) {
    const bytes = contentOf(held, name) ?? Buffer.alloc(0)
    hash.update(`${name}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest("hex")
}

/** A disk that power may have left, and how it came about, for whoever reads of a failure. */
export interface Left {
  readonly held: Held
  readonly told: string
}

/** Fates that find most mistakes: all and nothing, names without data and data without names, all but one, one alone. */
const corners = (
  changes: ReadonlyArray<Change>,
  open: ReadonlyArray<number>
): ReadonlyMap<string, (i: number) => Fate> => {
  const isName = (i: number) => changes[i]?._tag === "Names"
  const named = open.filter(isName)
  return new Map<string, (i: number) => Fate>([
    ["all lost", () => "lost"],
    ["all kept", () => "kept"],
    ["names without data", i => (isName(i) ? "kept" : "lost")],
    ["names, and data of zeros", i => (isName(i) ? "kept" : "size")],
    ["data without names", i => (isName(i) ? "lost" : "kept")],
    ...named.map(
      (last, n) => [`data, and ${n + 1} names`, (i: number) => (isName(i) && i > last ? "lost" : "kept")] as const
    ),
    ...open.map(one => [`all but ${one}`, (i: number) => (i === one ? "lost" : "kept")] as const),
    ...open.map(one => [`${one} alone`, (i: number) => (i === one ? "kept" : "lost")] as const)
  ])
}

const randomFate = (change: Change | undefined, random: Random): Fate => {
  const drawn = random.below(change?._tag === "Write" ? 4 : 2)
  if (drawn === 0) return "lost"
  if (drawn === 1) return "kept"
  if (drawn === 2 && random.below(3) === 0) return "size"
  const bits = random.below(2 ** 31)
  return { sectors: sector => ((bits >> (sector % 31)) & 1) === 1, grown: random.below(2) === 0 }
}

/** Disks that an end of power after these changes may leave: the corners, and so many at random. */
export const leftBy = (
  held: Held,
  changes: ReadonlyArray<Change>,
  random: Random,
  more: number
): ReadonlyArray<Left> => {
  const open = pending(changes)
  const isOpen = new Set(open)
  const fates = new Map(corners(changes, open))
  for (let n = 0; n < more && open.length > 0; n++) {
    const drawn = new Map(open.map(i => [i, randomFate(changes[i], random)]))
    const told = [...drawn].map(([i, fate]) => `${i} ${typeof fate === "string" ? fate : "torn"}`).join(", ")
    fates.set(told, i => drawn.get(i) ?? "kept")
  }
  // of one file, and of the names, all that lasts comes before all that may not
  const lasting = after(held, changes, i => (isOpen.has(i) ? "lost" : "kept"))
  const last = open.flatMap(i => changes.slice(i, i + 1))
  return [...fates].map(([told, fateOf]) => ({
    held: after(lasting, last, n => fateOf(open[n] ?? 0)),
    told
  }))
}
