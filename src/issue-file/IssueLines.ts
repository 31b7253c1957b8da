/**
 * The issue file as lines: which issue stands where, what cannot be read, and how changed lines are spliced in.
 *
 * Lines that did not change are copied as ranges of bytes, neither parsed nor encoded (G15); no line leaves for any
 * other reason than that a change of its issue replaces it (G19). The file is sorted by id, as UTF-8 bytes; CRLF, blank
 * lines and a last line without terminator are kept. Pure: bytes in, bytes out.
 */
import type { Edit } from "./FileBytes.ts"
import * as IssueLine from "./IssueLine.ts"

/** A line's place in the file, in bytes: text from `start` to `end`, terminator (LF or CRLF) up to `terminatorEnd`. */
export interface LineRange {
  readonly start: number
  readonly end: number
  readonly terminatorEnd: number
  /** None if the line is blank or unreadable. */
  readonly id: string | undefined
}

const Byte = { LineFeed: 10, CarriageReturn: 13, Space: 32, Tab: 9, Quote: 34, Backslash: 92, Delete: 127 } as const

/** How the lines begin that this project and the classic tool write: the id is read off without parsing the rest. */
const usualStart = Buffer.from('{"id":"')

const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const isBlank = (bytes: Uint8Array, start: number, end: number): boolean => {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    if (byte !== Byte.Space && byte !== Byte.Tab && byte !== Byte.CarriageReturn) return false
  }
  return true
}

/** The id of a line that begins in the usual way, if it is plain ASCII without escapes. */
const usualId = (bytes: Buffer, start: number, end: number): string | undefined => {
  for (let i = 0; i < usualStart.length; i++) if (bytes[start + i] !== usualStart[i]) return undefined
  const from = start + usualStart.length
  for (let at = from; at < end; at++) {
    const byte = bytes[at] ?? 0
    if (byte === Byte.Quote) return at === from ? undefined : bytes.toString("latin1", from, at)
    if (byte === Byte.Backslash || byte < Byte.Space || byte > Byte.Delete) return undefined
  }
  return undefined
}

const idOf = (bytes: Buffer, start: number, end: number): string | undefined => {
  const usual = usualId(bytes, start, end)
  if (usual !== undefined || isBlank(bytes, start, end)) return usual
  const text = IssueLine.decodeText(bytes.subarray(start, end))
  const id = typeof text === "string" ? IssueLine.decodeId(text) : text
  return typeof id === "string" ? id : undefined
}

/**
 * Finds the lines and their ids, of a file or of a part. Meant to be fast, it trusts a line's beginning: that all of it can be
 * read is what `read` tells.
 */
export const scan = (file: Uint8Array): ReadonlyArray<LineRange> => {
  const bytes = view(file)
  const lines: Array<LineRange> = []
  let start = 0
  while (start < bytes.length) {
    const lineFeed = bytes.indexOf(Byte.LineFeed, start)
    const terminatorEnd = lineFeed === -1 ? bytes.length : lineFeed + 1
    const text = lineFeed === -1 ? bytes.length : lineFeed
    const end = text > start && bytes[text - 1] === Byte.CarriageReturn ? text - 1 : text
    lines.push({ start, end, terminatorEnd, id: idOf(bytes, start, end) })
    start = terminatorEnd
  }
  return lines
}

/** Lines one after the other, in bytes, without the last one's terminator. */
export interface Part {
  readonly start: number
  readonly end: number
  /** If the file is in order, the ids of these lines are from this one on … */
  readonly from: string
  /** … and below that one, the first of the next part; undefined: it is the last. */
  readonly below: string | undefined
}

/**
 * Cuts a file into parts of a `length` or little more, by a look at the beginnings of a few lines: what lies between them is
 * for others to read. None if these are not in order, if it has no line, or if a line's end may be another than that of its
 * text (CR).
 */
export const parts = (file: Uint8Array, length: number): ReadonlyArray<Part> | undefined => {
  const bytes = view(file)
  if (bytes.includes(Byte.CarriageReturn)) return undefined
  const parts: Array<Part> = []
  let from = ""
  for (let start = 0; start < bytes.length; ) {
    const lineFeed = bytes.indexOf(Byte.LineFeed, start + length)
    const next = lineFeed === -1 ? bytes.length : lineFeed + 1
    const below = next < bytes.length ? usualId(bytes, next, bytes.length) : undefined
    if (next < bytes.length && (below === undefined || compareIds(from, below) >= 0)) return undefined
    parts.push({ start, end: bytes[next - 1] === Byte.LineFeed ? next - 1 : next, from, below })
    from = below ?? ""
    start = next
  }
  return parts.length === 0 ? undefined : parts
}

/** A line that holds an issue. */
export interface IssueText {
  /** Counted from 1. */
  readonly number: number
  readonly id: string
  /** The line without its terminator, for `IssueLine.decode`. */
  readonly text: string
}

/** A line that does not, and is not blank. */
export interface UnreadableText {
  /** Counted from 1. */
  readonly number: number
  readonly reason: string
}

/** All lines of a file but the blank ones. */
export interface Reading {
  readonly lines: ReadonlyArray<IssueText>
  readonly unreadable: ReadonlyArray<UnreadableText>
}

/**
 * Reads the whole file and validates every line; members are left to `IssueLine.decode`, so that lines which did not
 * change need not be taken apart. `known` tells of a text that it was read before (it is the issue's base): such a line
 * is not parsed again.
 */
export const read = (file: Uint8Array, known: (id: string, text: string) => boolean = () => false): Reading => {
  const bytes = view(file)
  const lines: Array<IssueText> = []
  const unreadable: Array<UnreadableText> = []
  scan(file).forEach(({ start, end, id: scanned }, i) => {
    if (isBlank(bytes, start, end)) return
    const number = i + 1
    const text = IssueLine.decodeText(bytes.subarray(start, end))
    if (typeof text !== "string") {
      unreadable.push({ number, reason: text.reason })
    } else if (scanned !== undefined && known(scanned, text)) {
      lines.push({ number, id: scanned, text })
    } else {
      const id = IssueLine.decodeId(text)
      if (typeof id === "string") lines.push({ number, id, text })
      else unreadable.push({ number, reason: id.reason })
    }
  })
  return { lines, unreadable }
}

/** Makes UTF-16 units compare as the code points they are part of: surrogates belong behind U+E000–U+FFFF. */
const rank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit)

/** The order of the lines: by id, as UTF-8 bytes. */
export const compareIds = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = rank(a.charCodeAt(i)) - rank(b.charCodeAt(i))
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** What `splice` made. */
export interface Splice {
  /** The new file; the very same array if nothing changed. */
  readonly bytes: Uint8Array
  /** Lines written anew. */
  readonly written: number
  /** Further lines of a changed issue that left the file. */
  readonly removed: number
}

/** As `Splice`, not yet put together: the pieces one after the other. */
export interface Pieces extends Omit<Splice, "bytes"> {
  /** Those of the file itself if nothing changed. */
  readonly pieces: ReadonlyArray<Uint8Array>
}

/** What moves as one when the file is sorted: a line of an issue, and the lines behind it that hold none. */
interface Block {
  readonly id: string
  /** The new text of the line; it comes before the bytes that are copied. */
  readonly text: Uint8Array | undefined
  /** Bytes of the file that are copied. */
  readonly from: number
  to: number
}

/**
 * Puts changed lines (id → line text, as `IssueLine.encode` gives it) in place of what the file has.
 *
 * The first line of a changed id is replaced and keeps its terminator, further lines of that id go; a new id comes in at
 * its sorted place. An unsorted file is sorted on the occasion, lines of equal id in the order they had. Where no line
 * changes, nothing does. A line that cannot be read is kept whatever it begins with (G17).
 */
export const splice = (file: Uint8Array, changes: ReadonlyMap<string, string>): Splice => {
  const { pieces, removed, written } = splicePieces(file, changes)
  return { bytes: written === 0 && removed === 0 ? file : Buffer.concat(pieces), written, removed }
}

/** As `splice`, for who writes the pieces: a large file is not copied. */
export const splicePieces = (file: Uint8Array, changes: ReadonlyMap<string, string>): Pieces => {
  const bytes = view(file)
  const count = tidyCount(bytes)
  return (
    // of more changes, each line is asked whether it is among them
    (count === undefined || changes.size > count ? undefined : spliceTidy(bytes, sorted(changes))) ??
    spliceAny(bytes, scan(bytes), changes)
  )
}

/** Whether a line begins in the usual way, with an id of plain ASCII that comes after that of the line at `previous`. */
const follows = (bytes: Buffer, previous: number | undefined, start: number): boolean => {
  const from = start + usualStart.length
  for (let i = 0; i < usualStart.length; i++) if (bytes[start + i] !== usualStart[i]) return false
  let greater = previous === undefined
  let before = (previous ?? 0) + usualStart.length
  for (let at = from; ; at++) {
    const byte = bytes[at] ?? 0
    if (byte === Byte.Quote) return greater && at > from
    if (byte === Byte.Backslash || byte < Byte.Space || byte > Byte.Delete) return false
    if (greater) continue
    const other = bytes[before++] ?? 0
    // at its closing quote the one before is the beginning of this one
    if (other === Byte.Quote || byte > other) greater = true
    else if (byte < other) return false
  }
}

/**
 * The number of lines of a file that is tidy: every line is of an issue, terminated by LF, its id behind the one before. None
 * if it is not, or if that takes more than a look at the bytes.
 */
const tidyCount = (bytes: Buffer): number | undefined => {
  let count = 0
  let previous: number | undefined
  for (let start = 0; start < bytes.length; count++) {
    const lineFeed = bytes.indexOf(Byte.LineFeed, start)
    if (lineFeed === -1 || bytes[lineFeed - 1] === Byte.CarriageReturn) return undefined
    if (!follows(bytes, previous, start)) return undefined
    previous = start
    start = lineFeed + 1
  }
  return count
}

/** Whether a tidy file stays so with this line in its place. */
export const isTidy = (text: string): boolean => !text.endsWith("\r") && follows(Buffer.from(text), undefined, 0)

/** Where the line that these bytes belong to begins. */
const lineStart = (bytes: Buffer, at: number): number => (at <= 0 ? 0 : bytes.lastIndexOf(Byte.LineFeed, at - 1) + 1)

/** Where, in tidy lines, the first begins whose id is not before this one. */
const placeOf = (bytes: Buffer, id: string): number => {
  let low = 0
  let high = bytes.length
  while (low < high) {
    const start = lineStart(bytes, (low + high) >> 1)
    if (compareIds(usualId(bytes, start, bytes.length) ?? "", id) < 0) low = bytes.indexOf(Byte.LineFeed, start) + 1
    else high = start
  }
  return low
}

/** Of more pieces, or fewer bytes, to put them together costs less than to write each. */
const fewPieces = 16
const manyBytes = 1 << 16

/**
 * `splice` of a few changes into a file as this program writes it, nearly every time: what lies between two changes is
 * one piece, and no line is looked at further than its id. None if the file is of another kind, or more would change.
 */
const spliceTidy = (bytes: Buffer, changes: ReadonlyArray<readonly [id: string, text: string]>): Pieces | undefined => {
  const pieces: Array<Uint8Array> = []
  let copied = 0
  let written = 0
  for (const [id, text] of changes) {
    const start = placeOf(bytes, id)
    const next = start === bytes.length ? start : bytes.indexOf(Byte.LineFeed, start) + 1
    const isReplaced = usualId(bytes, start, next) === id
    const now = Buffer.from(`${text}\n`)
    if (isReplaced) {
      if (now.equals(bytes.subarray(start, next))) continue
      if (IssueLine.isUnreadable(IssueLine.decode(bytes.subarray(start, next - 1)))) return undefined
    }
    pieces.push(bytes.subarray(copied, start), now)
    copied = isReplaced ? next : start
    written++
  }
  pieces.push(bytes.subarray(copied))
  const apart = pieces.length <= fewPieces && bytes.length >= manyBytes
  return { pieces: apart ? pieces : [Buffer.concat(pieces)], written, removed: 0 }
}

const sorted = (changes: ReadonlyMap<string, string>): ReadonlyArray<readonly [id: string, text: string]> =>
  [...changes].sort(([a], [b]) => compareIds(a, b))

/** `splice` part by part, for a file of which no more is in memory at a time. */
export interface PartwiseSplice extends Edit {
  /** Lines written anew so far. */
  readonly written: () => number
}

/**
 * As `splice` of a few changes; gives up on a file that is not tidy, or where nothing changes. `known`: it is tidy, and need not
 * be looked through for that.
 */
export const splicePartwise = (changes: ReadonlyMap<string, string>, known = false): PartwiseSplice => {
  const all = sorted(changes)
  let done = 0
  let written = 0
  return {
    next: (bytes, last) => {
      const lines = last ? bytes : bytes.subarray(0, bytes.lastIndexOf(Byte.LineFeed) + 1)
      if (!known && tidyCount(lines) === undefined) return undefined
      // the last line is shown again: its id bounds what can be placed already, and must come before what follows
      const used = last ? lines.length : lineStart(lines, lines.length - 1)
      const bound = last ? undefined : usualId(lines, used, lines.length)
      const first = done
      while (done < all.length && (bound === undefined ? last : compareIds(all[done]?.[0] ?? "", bound) < 0)) done++
      const splice = spliceTidy(lines.subarray(0, used), all.slice(first, done))
      written += splice?.written ?? 0
      return splice === undefined || (last && written === 0) ? undefined : { pieces: splice.pieces, used }
    },
    written: () => written
  }
}

const spliceAny = (bytes: Buffer, lines: ReadonlyArray<LineRange>, changes: ReadonlyMap<string, string>): Pieces => {
  const newline = usualNewline(bytes, lines)
  const placed = new Set<string>()
  const blocks: Array<Block> = []
  // what comes before the first issue stays there
  let head = 0
  let written = 0
  let removed = 0

  for (const { start, end, terminatorEnd, id } of lines) {
    const change = id === undefined ? undefined : changes.get(id)
    const text = change === undefined ? undefined : Buffer.from(change)
    const same = text?.equals(bytes.subarray(start, end))
    const changed = text !== undefined && !same
    const previous = blocks[blocks.length - 1]
    if (id === undefined || (changed && IssueLine.isUnreadable(IssueLine.decode(bytes.subarray(start, end))))) {
      if (previous === undefined) head = terminatorEnd
      else previous.to = terminatorEnd
    } else if (text === undefined) {
      blocks.push({ id, text: undefined, from: start, to: terminatorEnd })
    } else if (placed.has(id)) {
      removed++
      blocks.push({ id, text: undefined, from: terminatorEnd, to: terminatorEnd })
    } else {
      placed.add(id)
      if (!same) written++
      blocks.push({ id, text: same ? undefined : text, from: same ? start : end, to: terminatorEnd })
    }
  }
  for (const [id, text] of changes) {
    if (placed.has(id)) continue
    written++
    blocks.push({ id, text: Buffer.from(text + newline), from: 0, to: 0 })
  }
  if (written === 0 && removed === 0) return { pieces: [bytes], written, removed }
  blocks.sort((a, b) => compareIds(a.id, b.id))

  const parts: Array<Uint8Array> = []
  // set while the last part is the file's last line and that has no terminator: it gets one if anything follows
  let missing: Uint8Array | undefined
  const put = (part: Uint8Array | undefined) => {
    if (part === undefined || part.length === 0) return
    if (missing !== undefined) parts.push(missing)
    missing = undefined
    parts.push(part)
  }
  const last = bytes[bytes.length - 1]
  const terminator =
    last === undefined || last === Byte.LineFeed
      ? undefined
      : Buffer.from(last === Byte.CarriageReturn ? "\n" : newline)
  put(bytes.subarray(0, head))
  if (head > 0 && head === bytes.length) missing = terminator
  for (const { text, from, to } of blocks) {
    put(text)
    put(bytes.subarray(from, to))
    if (to === bytes.length && (text !== undefined || to > from)) missing = terminator
  }
  return { pieces: [Buffer.concat(parts)], written, removed }
}

/** How new lines end: as all lines of the file do, or with LF. */
const usualNewline = (bytes: Uint8Array, lines: ReadonlyArray<LineRange>): string => {
  const isTerminated = (line: LineRange) => bytes[line.terminatorEnd - 1] === Byte.LineFeed
  // LF shows at the first line, and the others need no look
  return lines.some(isTerminated) && lines.every(line => !isTerminated(line) || line.terminatorEnd - line.end === 2)
    ? "\r\n"
    : "\n"
}
