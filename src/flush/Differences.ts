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
import type { FilePart, IssueStore, LinePlace, MarkedRow, StoreError } from "../store/IssueStore.ts"
import { type FileLine, recordOf } from "./Reconciliation.ts"

export interface Differences {
  readonly rows: ReadonlyMap<string, MarkedRow>
  readonly lines: ReadonlyArray<FileLine>
}

/**
 * Where the issues' lines are in a part; none if a line's id does not show at its beginning, stands there twice, or is not
 * in the range of the part.
 */
const placesOf = (file: Uint8Array, part: FilePart): ReadonlyMap<string, LinePlace> | undefined => {
  const places = new Map<string, LinePlace>()
  for (const { end, id, start } of IssueLines.scan(file.subarray(part.start, part.end))) {
    if (start === end) continue
    if (id === undefined || places.has(id)) return undefined
    if (IssueLines.compareIds(id, part.from) < 0) return undefined
    if (part.below !== undefined && IssueLines.compareIds(id, part.below) >= 0) return undefined
    places.set(id, { id, start: part.start + start, end: part.start + end })
  }
  return places
}

/** The parts of these numbers, those that are neighbours as one. */
const joined = (parts: ReadonlyArray<FilePart>, numbers: ReadonlyArray<number>): ReadonlyArray<FilePart> => {
  const out: Array<FilePart> = []
  for (const [i, number] of numbers.entries()) {
    const part = parts[number]
    const last = out[out.length - 1]
    if (part === undefined) continue
    if (last === undefined || numbers[i - 1] !== number - 1) out.push(part)
    else out[out.length - 1] = { ...last, end: part.end, below: part.below }
  }
  return out
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

/** As `find`, of some parts of a file that hold all that differs; undefined: it cannot be told which lines these have. */
const findIn = Effect.fnUntraced(function* (
  store: IssueStore["Type"],
  file: Uint8Array,
  parts: ReadonlyArray<FilePart>
) {
  const differences = { rows: new Map<string, MarkedRow>(), lines: [] as Array<FileLine> }
  for (const part of parts) {
    const places = placesOf(file, part)
    if (places === undefined) return undefined
    const { rows, unknown } = yield* store.differing(file, [...places.values()], part)
    for (const row of rows) differences.rows.set(row.id, row)
    for (const id of [...rows.map(row => row.id), ...unknown]) {
      const place = places.get(id)
      if (place === undefined) continue
      const line = fileLine(file, place)
      if (line === undefined) return Option.none()
      differences.lines.push(line)
    }
  }
  return standAlone(differences) ? Option.some<Differences>(differences) : Option.none()
})

/** Of a file, compared as a whole before it is looked at line by line. */
const partLength = 1 << 15

/** The rows and lines that `reconcile` needs; none if it needs all, or if the file cannot be read. */
export const find = (
  store: IssueStore["Type"],
  file: Uint8Array,
  length = partLength
): Effect.Effect<Option.Option<Differences>, StoreError> =>
  Effect.gen(function* () {
    if (yield* store.hasRenamed) return Option.none()
    const parts = IssueLines.parts(file, length)
    const inOrder =
      parts === undefined ? undefined : yield* findIn(store, file, joined(parts, yield* store.unlike(file, parts)))
    if (inOrder !== undefined) return inOrder
    const whole = { start: 0, end: file.byteLength, from: "", below: undefined }
    return (yield* findIn(store, file, [whole])) ?? Option.none()
  })
