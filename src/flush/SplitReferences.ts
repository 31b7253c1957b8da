/**
 * Whose a dependency is after two issues of one id were told apart (G24): it follows the issue that it meant where the
 * sides tell, and stays where they do not.
 *
 * A dependency that this store's row has was made where the id named this store's issue; one that only came with the
 * file was made where it named the other. Pure.
 */

import * as CreatedApart from "../domain/CreatedApart.ts"
import * as FileMerge from "../domain/FileMerge.ts"
import * as IssueRecord from "../domain/IssueRecord.ts"
import * as JsonText from "../domain/JsonText.ts"

type Records = ReadonlyArray<IssueRecord.IssueRecord>

/** The issues that an id named: here, and in what came. `undefined`: none, or not one alone. */
export interface Split {
  readonly ours: string | undefined
  readonly theirs: string | undefined
}

/** The versions that a record was made from. Those of another issue of its id are left out of account. */
export interface Sources {
  readonly rows: Records
  readonly bases: Records
  readonly incoming: Records
}

export interface Followed {
  /** The very same record if nothing was redirected. */
  readonly record: IssueRecord.IssueRecord
  /** Ids that it still depends on though it cannot be told which of the two issues was meant. */
  readonly unresolved: ReadonlyArray<string>
}

const pointTo = (element: string, id: string): string =>
  JsonText.encodeObject(
    JsonText.members(element).map(({ key, value }) => ({
      key,
      value: key === "depends_on_id" ? JsonText.encodeString(id) : value
    }))
  )

export const follow = (
  record: IssueRecord.IssueRecord,
  splits: ReadonlyMap<string, Split>,
  sources: Sources
): Followed => {
  const elements = IssueRecord.elements(record, "dependencies")
  const isSplit = (found: FileMerge.Dependency | undefined) => found !== undefined && splits.has(found.dependsOn)
  if (!elements.some(element => isSplit(FileMerge.dependency(element)))) return { record, unresolved: [] }

  /** The elements of an identity in versions of this very issue. */
  const elementsOf = (versions: Records, identity: string): ReadonlyArray<string> =>
    versions
      .filter(version => !CreatedApart.isApart(version, record))
      .flatMap(version => IssueRecord.elements(version, "dependencies"))
      .filter(element => FileMerge.dependency(element)?.identity === identity)
  const values = (found: ReadonlyArray<string>) => new Set(found.map(element => FileMerge.dependency(element)?.value))

  const unresolved = new Set<string>()
  const out: Array<string> = []
  const taken = new Set(elements.map(element => FileMerge.dependency(element)?.identity))
  const put = (element: string, found: FileMerge.Dependency, to: string) => {
    const moved = to === found.dependsOn ? element : pointTo(element, to)
    const identity = FileMerge.dependency(moved)?.identity
    // another clone may have led it there before
    if (moved !== element && taken.has(identity)) return
    taken.add(identity)
    out.push(moved)
  }
  for (const element of elements) {
    const found = FileMerge.dependency(element)
    const split = found && splits.get(found.dependsOn)
    if (found === undefined || split === undefined) {
      out.push(element)
      continue
    }
    const here = elementsOf(sources.rows, found.identity)
    const there = elementsOf(sources.incoming, found.identity)
    // what this store had published stands in the file as well
    const isPublished = elementsOf(sources.bases, found.identity).length > 0
    const foreign = isPublished ? [] : there.filter(other => !values(here).has(FileMerge.dependency(other)?.value))
    const isOurs = here.length > 0 && (isPublished || foreign.length === there.length)
    const ours = isOurs ? split.ours : undefined
    const theirs = foreign.length > 0 ? split.theirs : undefined
    if (ours !== undefined) put(here[0] ?? element, found, ours)
    if (theirs !== undefined) put(foreign[0] ?? element, found, theirs)
    if (ours === undefined && theirs === undefined) {
      out.push(element)
      unresolved.add(found.dependsOn)
    }
  }
  const isSame = out.length === elements.length && out.every((element, i) => element === elements[i])
  return {
    record: isSame ? record : IssueRecord.set(record, "dependencies", JsonText.encodeArray(out)),
    unresolved: [...unresolved]
  }
}
