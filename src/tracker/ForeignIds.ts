/**
 * Issues of another project under ids of this one: what `import --rename-on-import` makes of its input (G19). Pure.
 *
 * An id of another prefix that is new here gets ours, its number kept where it is free. Beside the issue goes a tombstone
 * of the old id with `renamed_to`, as after `rename-prefix`: by it references from later imports find the issue, and the
 * same input once more brings edits and nothing else. What is known here under its own id keeps it.
 */
import * as IdRenaming from "../domain/IdRenaming.ts"
import * as IssueId from "../domain/IssueId.ts"
import * as IssueRecord from "../domain/IssueRecord.ts"
import * as JsonText from "../domain/JsonText.ts"
import * as IssueLine from "../issue-file/IssueLine.ts"
import type { IssueText } from "../issue-file/IssueLines.ts"

export interface Naturalized {
  /** The lines under their new ids, references led to them, and the tombstones of the old ids. */
  readonly bytes: Uint8Array
  readonly renamed: ReadonlyArray<{ readonly from: string; readonly to: string }>
}

interface Options {
  /** Ours. */
  readonly prefix: string
  /** Every id there is here, those of tombstones too. */
  readonly known: ReadonlySet<string>
  /** Where earlier imports and renamings led an id. */
  readonly renamedTo: IdRenaming.Renaming
  readonly actor: string
  /** RFC 3339. */
  readonly now: string
}

const childPart = /(?:\.\d+)*$/

/** New ids of foreign ones; the same whatever the order. */
const planIds = (foreign: ReadonlyArray<string>, all: Iterable<string>, { known, prefix, renamedTo }: Options) => {
  const taken = new Set([...known, ...all])
  const length = IssueId.hashLength(taken.size)
  const derived = (id: string): string => {
    for (let nonce = 0; ; nonce++) {
      const candidate = `${prefix}-${IssueId.hash(`${id}|${nonce}`, length)}`
      if (!taken.has(candidate)) return candidate
    }
  }
  const ids = new Map<string, string>()
  const roots = new Map<string, string>()
  // parents before children: a shorter id sorts before those it begins
  for (const id of [...foreign].sort()) {
    const children = childPart.exec(id)?.[0] ?? ""
    const root = id.slice(0, id.length - children.length)
    const plain = `${prefix}-${root.slice((IssueId.prefixOf(root) ?? "").length + 1)}`
    const newRoot = roots.get(root) ?? renamedTo(root) ?? (taken.has(plain) ? derived(root) : plain)
    roots.set(root, newRoot)
    const wanted = `${newRoot}${children}`
    const to = taken.has(wanted) ? derived(id) : wanted
    taken.add(newRoot).add(to)
    ids.set(id, to)
  }
  return ids
}

const tombstoneOf = (record: IssueRecord.IssueRecord, to: string, { actor, now }: Options): IssueRecord.IssueRecord =>
  // It keeps its fields and their stamp: an edit that comes later is told from this version by them.
  (
    [
      ["status", "tombstone"],
      // the same in every clone that imports it, unless that would not be after an undeletion
      [
        "deleted_at",
        (IssueRecord.text(record, "undeleted_at") ? undefined : IssueRecord.text(record, "updated_at")) ?? now
      ],
      ["deleted_by", actor],
      ["delete_reason", `renamed to ${to}`],
      ["original_type", IssueRecord.text(record, "issue_type") ?? "task"],
      ["renamed_to", to]
    ] as const
  ).reduce((left, [key, text]) => IssueRecord.set(left, key, JsonText.encodeString(text)), record)

export const naturalize = (lines: ReadonlyArray<IssueText>, options: Options): Naturalized => {
  const { known, prefix, renamedTo } = options
  const records = lines.flatMap(({ text }) => {
    const record = IssueLine.decode(text)
    return IssueLine.isUnreadable(record) ? [] : [record]
  })
  const isForeign = ({ id }: IssueRecord.IssueRecord) =>
    !known.has(id) && !IssueId.hasPrefix(id, prefix) && IssueId.prefixOf(id) !== undefined
  const foreign = new Set(
    records
      .filter(record => isForeign(record) && IssueRecord.text(record, "status") !== "tombstone")
      .map(({ id }) => id)
  )
  const ids = planIds(
    [...foreign],
    records.map(({ id }) => id),
    options
  )
  const renaming: IdRenaming.Renaming = id => ids.get(id) ?? renamedTo(id)
  const tombstones = new Map<string, IssueRecord.IssueRecord>()
  const out = records.map(record => {
    const to = ids.get(record.id)
    if (to === undefined) return known.has(record.id) ? record : IdRenaming.renameReferences(record, renaming)
    // of several lines of one id the same one, whatever their order
    const tombstone = tombstoneOf(record, to, options)
    const other = tombstones.get(record.id)
    if (other === undefined || IssueRecord.line(other) < IssueRecord.line(tombstone))
      tombstones.set(record.id, tombstone)
    return IdRenaming.renameReferences(IdRenaming.withId(record, to), renaming)
  })
  const text = [...out, ...tombstones.values()].map(record => `${IssueRecord.line(record)}\n`).join("")
  return { bytes: Buffer.from(text), renamed: [...ids].map(([from, to]) => ({ from, to })) }
}
