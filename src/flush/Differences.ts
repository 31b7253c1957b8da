/**
 * What of a changed file concerns the store, so that a pull of ten lines into a file of ten thousand costs little more
 * than ten.
 *
 * A line that stands once in the file, and is the text of an unmarked row, decides nothing in `Reconciliation.reconcile`,
 * and nothing is decided by it, unless ids are told apart or were renamed: those ask for other rows and lines. So where
 * neither can be, the rest alone gives the same plan as all.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as CreatedApart from "../domain/CreatedApart.ts"
import * as IdRenaming from "../domain/IdRenaming.ts"
import * as IssueLine from "../issue-file/IssueLine.ts"
import * as IssueLines from "../issue-file/IssueLines.ts"
import type { IssueStore, LinePlace, MarkedRow, StoreError } from "../store/IssueStore.ts"
import { type FileLine, recordOf } from "./Reconciliation.ts"

export interface Differences {
  readonly rows: ReadonlyMap<string, MarkedRow>
  readonly lines: ReadonlyArray<FileLine>
}

/** Where the issues' lines are; none if a line's id does not show at its beginning, or stands there twice. */
const placesOf = (file: Uint8Array): ReadonlyMap<string, LinePlace> | undefined => {
  const places = new Map<string, LinePlace>()
  for (const { end, id, start } of IssueLines.scan(file)) {
    if (start === end) continue
    if (id === undefined || places.has(id)) return undefined
    places.set(id, { id, start, end })
  }
  return places
}

const fileLine = (file: Uint8Array, { end, id, start }: LinePlace): FileLine | undefined => {
  const text = IssueLine.decodeText(file.subarray(start, end))
  // an id that stands twice in a line is the last of the two
  return typeof text === "string" && IssueLine.decodeId(text) === id ? { id, text } : undefined
}

/** Whether it is, or may be, of a renamed issue; the key may be written with escapes, by somebody else. */
const isRenamed = (text: string): boolean =>
  IdRenaming.mayBeRenamed(text) || (text.includes("\\u00") && IdRenaming.renamedTo(recordOf(text)) !== undefined)

/** Whether the rest of the store and of the file has no say in what becomes of these. */
const standAlone = ({ lines, rows }: Differences): boolean =>
  lines.every(({ id, text }) => {
    if (isRenamed(text)) return false
    const row = rows.get(id)
    if (row === undefined || row.line === text) return true
    // what they are merged against can make a renamed one of them, too
    if ([row.line, row.mark?.base ?? ""].some(isRenamed)) return false
    return !CreatedApart.isApart(recordOf(row.line), recordOf(text))
  })

/** The rows and lines that `reconcile` needs; none if it needs all, or if the file cannot be read. */
export const find = (
  store: IssueStore["Type"],
  file: Uint8Array
): Effect.Effect<Option.Option<Differences>, StoreError> =>
  Effect.gen(function* () {
    const places = placesOf(file)
    if (places === undefined || (yield* store.hasRenamed)) return Option.none()
    const { rows, unknown } = yield* store.differing(file, [...places.values()])
    const lines: Array<FileLine> = []
    for (const id of [...rows.map(row => row.id), ...unknown]) {
      const place = places.get(id)
      if (place === undefined) continue
      const line = fileLine(file, place)
      if (line === undefined) return Option.none()
      lines.push(line)
    }
    const differences = { rows: new Map(rows.map(row => [row.id, row] as const)), lines }
    return standAlone(differences) ? Option.some(differences) : Option.none()
  })
