/**
 * Issues under new ids: the issue itself, the tombstone it leaves, and the references of others to it (G19).
 *
 * Dependencies are led to the new id, and so are words in the text fields that are the old id. Comments stay as they
 * were said; an old id is found by its tombstone. Pure.
 */
import * as Instant from "./Instant.ts"
import * as IssueRecord from "./IssueRecord.ts"
import * as JsonText from "./JsonText.ts"
import * as MergeOrder from "./MergeOrder.ts"

type Record = IssueRecord.IssueRecord

/** The new id of an id; `undefined` if it stays. */
export type Renaming = (id: string) => string | undefined

/** Where the issue of a tombstone went; `undefined` if it is no tombstone of a renamed issue. */
export const renamedTo = (record: Record): string | undefined =>
  IssueRecord.text(record, "status") === "tombstone" ? IssueRecord.text(record, "renamed_to") : undefined

/**
 * Of versions of one issue, the tombstone that a renaming left, such that no undeletion of theirs beats it: what brought
 * a deleted issue back elsewhere knew nothing of the renaming, and the issue must not live on under both ids (G19).
 * `undefined` if it beats them as it is, or if there is none.
 */
export const outlastingTombstone = (versions: ReadonlyArray<Record>): Record | undefined => {
  const latest = (key: IssueRecord.Key, records: ReadonlyArray<Record>): string | undefined =>
    records
      .flatMap(record => IssueRecord.text(record, key) ?? [])
      .sort(Instant.compare)
      .at(-1)
  const tombstones = versions.filter(record => renamedTo(record) !== undefined)
  const undeletedAt = latest("undeleted_at", versions)
  const deletedAt = latest("deleted_at", versions)
  const last = tombstones.filter(record => IssueRecord.text(record, "deleted_at") === latest("deleted_at", tombstones))
  const [tombstone] = last.sort((a, b) => MergeOrder.compareText(IssueRecord.line(b), IssueRecord.line(a)))
  const undeleted = Instant.parse(undeletedAt)
  if (tombstone === undefined || undeleted === undefined || Instant.compare(undeletedAt, deletedAt) < 0)
    return undefined
  return IssueRecord.set(tombstone, "deleted_at", JsonText.encodeString(Instant.format(undeleted + 1_000_000n)))
}

/** Whether a line may be a tombstone of a renamed issue, told without reading it. */
export const mayBeRenamed = (line: string): boolean => line.includes('"renamed_to"')

/** Through however many renamings, as far as they lead. */
export const following =
  (renames: ReadonlyMap<string, string>): Renaming =>
  id => {
    const seen = new Set([id])
    let to = renames.get(id)
    for (let next = to; next !== undefined && !seen.has(next); next = renames.get(next)) {
      seen.add(next)
      to = next
    }
    return to
  }

/** The same issue under another id, which its dependencies and comments name as well. */
export const withId = (record: Record, id: string): Record => {
  const own = JsonText.encodeString(id)
  const isOwn = (key: string, value: string) => key === "issue_id" && JsonText.decodeString(value) === record.id
  const rename = (element: string): string => {
    if (JsonText.kind(element) !== "object") return element
    const members = JsonText.members(element)
    if (!members.some(({ key, value }) => isOwn(key, value))) return element
    return JsonText.encodeObject(members.map(({ key, value }) => ({ key, value: isOwn(key, value) ? own : value })))
  }
  const members = record.members.map(({ key, value }) => {
    if (key === "id") return { key, value: own }
    if ((key !== "dependencies" && key !== "comments") || JsonText.kind(value) !== "array") return { key, value }
    const elements = JsonText.elements(value)
    const renamed = elements.map(rename)
    return renamed.every((element, i) => element === elements[i])
      ? { key, value }
      : { key, value: JsonText.encodeArray(renamed) }
  })
  return IssueRecord.make(id, members)
}

const textFields = ["title", "description", "design", "acceptance_criteria", "notes"] as const

/** Made when it is used: it takes V8 as long as to read a file, for the tables of Unicode behind it. */
const word = () => /[\p{L}\p{N}_][\p{L}\p{N}_.-]*/gu

/** A full stop or a dash behind an id belongs to the sentence. */
const withoutStop = (found: string): string => found.replace(/[.-]+$/, "")

/** The words of a text that may be ids. */
export const words = (text: string): ReadonlyArray<string> => (text.match(word()) ?? []).map(withoutStop)

/** A text in which words that are renamed ids are the new ids. */
const renameWords = (text: string, renaming: Renaming): string =>
  text.replace(word(), found => {
    const id = withoutStop(found)
    const to = renaming(id)
    return to === undefined ? found : `${to}${found.slice(id.length)}`
  })

const dependsOn = (element: string): string | undefined =>
  JsonText.kind(element) === "object"
    ? JsonText.decodeString(JsonText.members(element).findLast(({ key }) => key === "depends_on_id")?.value)
    : undefined

const typeOf = (element: string): string | undefined =>
  JsonText.decodeString(JsonText.members(element).findLast(({ key }) => key === "type")?.value)

/** Leads dependencies to the new ids; one that is there already is not doubled. */
export const renameDependencies = (record: Record, renaming: Renaming): Record => {
  const elements = IssueRecord.elements(record, "dependencies")
  if (!elements.some(element => renaming(dependsOn(element) ?? "") !== undefined)) return record
  const identity = (element: string) => JSON.stringify([dependsOn(element), typeOf(element)])
  const present = new Set(elements.filter(element => dependsOn(element) !== undefined).map(identity))
  const renamed = elements.flatMap(element => {
    const to = renaming(dependsOn(element) ?? "")
    if (to === undefined) return [element]
    const moved = JsonText.encodeObject(
      JsonText.members(element).map(({ key, value }) => ({
        key,
        value: key === "depends_on_id" ? JsonText.encodeString(to) : value
      }))
    )
    if (present.has(identity(moved))) return []
    present.add(identity(moved))
    return [moved]
  })
  return IssueRecord.set(record, "dependencies", JsonText.encodeArray(renamed))
}

/** Leads all references of an issue to the new ids. What refers to none of them is returned as it is. */
export const renameReferences = (record: Record, renaming: Renaming): Record => {
  let after = renameDependencies(record, renaming)
  for (const key of textFields) {
    const text = IssueRecord.text(after, key)
    if (text === undefined) continue
    const renamed = renameWords(text, renaming)
    if (renamed !== text) after = IssueRecord.set(after, key, JsonText.encodeString(renamed))
  }
  return after
}
