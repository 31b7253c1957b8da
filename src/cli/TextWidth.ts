/** How much room text takes on a terminal, in cells: wide characters and emoji take two, combining marks none. Pure. */
import stringWidth from "string-width"

export const of = (text: string): number => (/^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text))

const segmenter = new Intl.Segmenter()

/** The characters as people count them. */
const characters = (text: string): Iterable<string> =>
  /^[\x20-\x7e]*$/.test(text) ? text : Array.from(segmenter.segment(text), ({ segment }) => segment)

/** As much of the beginning as fits into so many cells, and what is left. */
export const split = (text: string, cells: number): readonly [string, string] => {
  let room = cells
  let taken = 0
  for (const character of characters(text)) {
    room -= of(character)
    if (room < 0) break
    taken += character.length
  }
  return [text.slice(0, taken), text.slice(taken)]
}

/** No wider than so many cells: what is cut off is shown by an ellipsis. */
export const cut = (text: string, cells: number): string => {
  // what is far too long need not be measured
  if (text.length <= cells * 8 && of(text) <= cells) return text
  return cells < 1 ? "" : `${split(text.slice(0, cells * 8), cells - 1)[0].trimEnd()}…`
}

/** Filled up with spaces. */
export const pad = (text: string, cells: number): string => text + " ".repeat(Math.max(0, cells - of(text)))

/** In lines of so many cells, broken between words where it can be; the last one is cut. */
export const wrap = (text: string, cells: number, lines: number): ReadonlyArray<string> => {
  const out: Array<string> = []
  let left = text.trim()
  while (left !== "" && out.length < lines - 1) {
    const [fits, more] = split(left.slice(0, cells * 8), cells)
    const rest = more + left.slice(cells * 8)
    if (rest === "") break
    const space = rest.startsWith(" ") ? fits.length : fits.lastIndexOf(" ")
    // a word that is wider than a third of a line is broken
    const end = space > fits.length / 3 ? space : fits.length
    if (end === 0) break
    out.push(fits.slice(0, end).trimEnd())
    left = left.slice(end).trimStart()
  }
  return left === "" ? out : [...out, cut(left, cells)]
}
