/**
 * What clones must know: every acknowledged edit, who knew which when it was made, and which of them git was told to drop.
 *
 * An issue is known by its `external_ref`, which nothing here changes, so that it is found under whatever id. A unit of an
 * issue is a field, an element of a set (`labels:l7`), or `life`, where the time decides and not who knew what (G23).
 */
import type { Shown } from "../system/git.ts"

export interface Edit {
  readonly issue: string
  readonly unit: string
  readonly value: string
  /** When it was stamped; only of `life` it matters. */
  readonly at: string
  /** The edits that its maker saw. */
  readonly past: ReadonlySet<Edit>
}

/** What an issue says in one unit, as edits tell it. */
export const said = (issue: Shown, unit: string): string => {
  const [key = "", element = ""] = unit.split(":")
  switch (key) {
    case "labels":
      return String(issue.labels?.includes(element) === true)
    case "comments":
      return String(issue.comments?.some(({ text }) => text === element) === true)
    case "needs":
      return String(issue.dependencies?.some(({ depends_on_id }) => depends_on_id === element) === true)
    case "status":
      return `${issue.status} ${String(issue["close_reason"] ?? "")}`
    default:
      return String(issue[key] ?? "")
  }
}

export const refOf = (issue: Shown): string => String(issue["external_ref"] ?? "")

const latest = (edits: Iterable<Edit>, value: string): string =>
  [...edits]
    .flatMap(edit => (edit.unit === "life" && edit.value === value ? [edit.at] : []))
    .sort()
    .at(-1) ?? ""

/**
 * What bd made of an ancestor and two sides: no issue is left out, even if both sides did (G19), none is deleted that
 * nobody deleted, and a deletion is not forgotten even if both sides forgot it (G23).
 */
export const expectMerged = (
  three: ReadonlyArray<ReadonlyArray<string>>,
  merged: ReadonlyArray<string>,
  renamed: boolean
): void => {
  const parse = (lines: ReadonlyArray<string>) => lines.map(line => JSON.parse(line) as Shown)
  const found = new Map(parse(merged).map(issue => [issue.id, issue]))
  const versions = new Map<string, Array<Shown>>()
  for (const issue of three.flatMap(parse)) versions.set(issue.id, [...(versions.get(issue.id) ?? []), issue])
  for (const [id, all] of versions) {
    const issue = found.get(id)
    if (issue === undefined) throw new Error(`the merge left ${id} out`)
    // of a renamed issue, or two of one id, it takes more to tell
    if (renamed || new Set(all.map(each => each["created_at"])).size > 1) continue
    const isDeleted = all.some(({ status }) => status === "tombstone")
    const isUndeleted = all.some(each => each["undeleted_at"] !== undefined)
    if (isDeleted && !isUndeleted && issue.status !== "tombstone") throw new Error(`the merge brought ${id} back`)
    if (!isDeleted && issue.status === "tombstone") throw new Error(`the merge deleted ${id}`)
  }
}

export interface Verdict {
  readonly problems: ReadonlyArray<string>
  /** Edits of which the merge knew all, and edits of which it did not. */
  readonly exact: number
  readonly inexact: number
  readonly lostInexactly: number
}

export class Ledger {
  readonly edits: Array<Edit> = []
  /**
   * Edits that need not come back: git was told to drop them, or they went a way on which no ancestor is known. They may
   * come back all the same: another branch may hold them.
   */
  readonly dropped = new Set<Edit>()
  /** Those of them that only went an inexact way: issues and deletions have to be there all the same. */
  readonly inexact = new Set<Edit>()

  /** Issues of which no merge knows all edits in their order any more: as `inexact`, each of their edits. */
  readonly copied = new Set<string>()

  add(edit: Edit): Edit {
    this.edits.push(edit)
    return edit
  }

  /** What the end lacks, has in vain, or has twice; and how many edits were lost on inexact ways. */
  verdict(end: ReadonlyArray<Shown>): Verdict {
    const problems: Array<string> = []
    let lostInexactly = 0
    if (new Set(end.map(({ id }) => id)).size !== end.length) problems.push("an id stands twice")
    const isInexact = (edit: Edit) => this.inexact.has(edit) || this.copied.has(edit.issue)
    const isHard = (edit: Edit) => !this.dropped.has(edit) && !isInexact(edit)
    for (const ref of new Set(this.edits.map(({ issue }) => issue))) {
      const mine = this.edits.filter(({ issue }) => issue === ref)
      const own = end.filter(issue => refOf(issue) === ref && issue["renamed_to"] === undefined)
      const alive = own.filter(({ status }) => status !== "tombstone")
      const wasCreated = mine.some(edit => edit.unit === "created" && !this.dropped.has(edit))
      if (own.length === 0) {
        if (wasCreated) problems.push(`${ref} has vanished`)
        continue
      }
      if (own.length > 1) problems.push(`${ref} stands twice: ${own.map(({ id }) => id).join(", ")}`)
      const kept = mine.filter(edit => !this.dropped.has(edit))
      if (latest(kept, "deleted") > latest(mine, "lives") && alive.length > 0) problems.push(`${ref} is back`)
      if (latest(kept, "lives") >= latest(mine, "deleted") && wasCreated && alive.length === 0) {
        if (latest(mine, "deleted") === "") problems.push(`${ref} was deleted by nobody`)
        else if (latest(kept, "lives") > latest(mine, "deleted")) problems.push(`${ref} was deleted after all`)
      }
      const wasDeleted = mine.some(({ unit }) => unit === "life")
      for (const unit of new Set(mine.map(edit => edit.unit))) {
        if (unit === "life" || unit === "created" || (wasDeleted && /^(status|needs:)/.test(unit))) continue
        const rivals = mine.filter(edit => edit.unit === unit)
        const found = new Set(own.map(issue => said(issue, unit)))
        const lacks = (counts: (edit: Edit) => boolean) => {
          const counting = rivals.filter(counts)
          const last = rivals.filter(edit => !counting.some(({ past }) => past.has(edit)))
          return counting.length > 0 && !last.some(({ value }) => found.has(value))
        }
        const wanted = rivals.map(({ value }) => value).join("|")
        if (lacks(isHard)) problems.push(`${ref} ${unit} is ${[...found].join("|")}, not of ${wanted}`)
        else if (lacks(edit => !this.dropped.has(edit))) lostInexactly++
      }
    }
    const [exact, inexact] = [this.edits.filter(isHard).length, this.edits.filter(isInexact).length]
    return { problems, lostInexactly, exact, inexact }
  }
}
