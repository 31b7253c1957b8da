/**
 * Histories of commits as git keeps them, for models of clones: merge bases, the merge driver, a union of lines. And what
 * such models share beyond: numbers by a seed, edits and who knew of them.
 */
import * as FileMerge from "../../src/domain/FileMerge.ts"
import * as IssueRecord from "../../src/domain/IssueRecord.ts"
import * as MergeOrder from "../../src/domain/MergeOrder.ts"
import type { Random } from "../random.ts"
import { read as readAnew } from "./read.ts"

export interface Edit {
  readonly id: string
  readonly unit: string
  readonly value: string
  readonly at: string
  /** What its author knew of. */
  readonly past: ReadonlySet<Edit>
}

/** Lines by their text: most are read many times. */
const known = new Map<string, IssueRecord.IssueRecord>()
export const read = (line: string): IssueRecord.IssueRecord => {
  const record = known.get(line) ?? readAnew(line)
  known.set(line, record)
  return record
}

export type File = ReadonlyArray<string>

export interface Commit {
  readonly parents: ReadonlyArray<Commit>
  readonly file: File
  readonly known: ReadonlySet<Edit>
}

export const history = (commit: Commit, seen = new Set<Commit>()): Set<Commit> => {
  if (seen.has(commit)) return seen
  seen.add(commit)
  for (const parent of commit.parents) history(parent, seen)
  return seen
}

export const mergeBases = (a: Commit, b: Commit): ReadonlyArray<Commit> => {
  const ours = history(a)
  const common = [...history(b)].filter(commit => ours.has(commit))
  const below = new Set(common.flatMap(commit => commit.parents.flatMap(parent => [...history(parent)])))
  return common.filter(commit => !below.has(commit))
}

export const drive = (base: File, left: File, right: File): File =>
  FileMerge.mergeFiles({ base: base.map(read), left: left.map(read), right: right.map(read) }).records.map(
    IssueRecord.line
  )

/** Where histories cross, git merges their several bases into one first, by the driver too. */
export const virtualBase = (a: Commit, b: Commit): Commit | undefined =>
  mergeBases(a, b).reduce<Commit | undefined>((one, other) => {
    if (one === undefined) return other
    const base = virtualBase(one, other)?.file ?? []
    return { parents: [one, other], file: drive(base, one.file, other.file), known: new Set() }
  }, undefined)

export const byId = (file: File): ReadonlyMap<string, ReadonlyArray<string>> => {
  const out = new Map<string, ReadonlyArray<string>>()
  for (const line of file) out.set(read(line).id, [...(out.get(read(line).id) ?? []), line])
  return out
}

/** Lines of both sides, where they differ; also lines that one side left alone, as they stand beside changed ones. */
export const unite = (
  base: File,
  left: File,
  right: File,
  random: Random
): { readonly file: File; readonly met: number } => {
  const [from, ours, theirs] = [byId(base), byId(left), byId(right)]
  const out: Array<string> = []
  let met = 0
  let isHunk = false
  for (const id of [...new Set([...ours.keys(), ...theirs.keys()])].sort(MergeOrder.compareText)) {
    const [b, l, r] = [from.get(id) ?? [], ours.get(id) ?? [], theirs.get(id) ?? []]
    const same = (x: File, y: File) => x.join("\n") === y.join("\n")
    const conflict = !same(l, r) && !same(b, l) && !same(b, r)
    const both: boolean = conflict || (isHunk && !same(l, r) && random.below(2) === 0)
    isHunk = both || (conflict && isHunk)
    if (both && l.length > 0 && r.length > 0) met++
    out.push(...(both ? [...l, ...r] : same(b, l) ? r : l))
  }
  return { file: out, met }
}
