/**
 * Lossless JSON: values as their source text.
 *
 * `JSON.parse` rounds integers beyond 2^53, turns `1.0` into `1`, moves integer-like keys to the front and swallows
 * `__proto__`. What this version did not write must survive all of that, so an object is read as the list of its
 * members, each value kept as the text it was written in; only what is asked for is decoded.
 *
 * The functions take *valid* JSON text: `isValid` is the gate, everything else relies on it.
 */

/** One member of a JSON object: the key, decoded, and the value exactly as it was written. */
export interface Member {
  readonly key: string
  readonly value: string
}

/** Whether `text` is one valid JSON value (RFC 8259, white space around it allowed). */
export const isValid = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const Char = {
  Tab: 9,
  LineFeed: 10,
  CarriageReturn: 13,
  Space: 32,
  Quote: 34,
  Comma: 44,
  OpenBracket: 91,
  Backslash: 92,
  CloseBracket: 93,
  OpenBrace: 123,
  CloseBrace: 125
} as const

const skipSpace = (text: string, from: number): number => {
  let at = from
  for (;;) {
    const char = text.charCodeAt(at)
    if (char !== Char.Space && char !== Char.Tab && char !== Char.LineFeed && char !== Char.CarriageReturn) return at
    at++
  }
}

/** The index just behind the string that opens at `from`. */
const stringEnd = (text: string, from: number): number => {
  let at = from + 1
  for (;;) {
    const quote = text.indexOf('"', at)
    let slashes = 0
    while (text.charCodeAt(quote - 1 - slashes) === Char.Backslash) slashes++
    at = quote + 1
    if (slashes % 2 === 0) return at
  }
}

/** The index just behind the value that starts at `from`. Iterative: nesting depth costs no stack. */
const valueEnd = (text: string, from: number): number => {
  let depth = 0
  let at = from
  for (;;) {
    const char = text.charCodeAt(at)
    if (char === Char.Quote) {
      at = stringEnd(text, at)
      if (depth === 0) return at
    } else if (char === Char.OpenBrace || char === Char.OpenBracket) {
      depth++
      at++
    } else if (char === Char.CloseBrace || char === Char.CloseBracket) {
      if (depth === 0) return at
      depth--
      at++
      if (depth === 0) return at
    } else if (
      depth === 0 &&
      (Number.isNaN(char) ||
        char === Char.Comma ||
        char === Char.Space ||
        char === Char.Tab ||
        char === Char.LineFeed ||
        char === Char.CarriageReturn)
    ) {
      return at
    } else {
      at++
    }
  }
}

/** The kind of value that `text` is, told from its first character. */
export const kind = (text: string): "object" | "array" | "string" | "number" | "boolean" | "null" => {
  switch (text[skipSpace(text, 0)]) {
    case "{":
      return "object"
    case "[":
      return "array"
    case '"':
      return "string"
    case "t":
    case "f":
      return "boolean"
    case "n":
      return "null"
    default:
      return "number"
  }
}

/** The members of a JSON object, in the order written, duplicate keys included. */
export const members = (object: string): ReadonlyArray<Member> => {
  const out: Array<Member> = []
  let at = skipSpace(object, skipSpace(object, 0) + 1)
  while (object.charCodeAt(at) !== Char.CloseBrace) {
    const keyEnd = stringEnd(object, at)
    const key = JSON.parse(object.slice(at, keyEnd)) as string
    const start = skipSpace(object, skipSpace(object, keyEnd) + 1)
    const end = valueEnd(object, start)
    out.push({ key, value: object.slice(start, end) })
    at = skipSpace(object, end)
    if (object.charCodeAt(at) === Char.Comma) at = skipSpace(object, at + 1)
  }
  return out
}

/** The elements of a JSON array, each as its source text. */
export const elements = (array: string): ReadonlyArray<string> => {
  const out: Array<string> = []
  let at = skipSpace(array, skipSpace(array, 0) + 1)
  while (array.charCodeAt(at) !== Char.CloseBracket) {
    const end = valueEnd(array, at)
    out.push(array.slice(at, end))
    at = skipSpace(array, end)
    if (array.charCodeAt(at) === Char.Comma) at = skipSpace(array, at + 1)
  }
  return out
}

const escaped =
  /["\\\u0000-\u001f<>&\u2028\u2029]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t"
}

/**
 * A string as Go's `encoding/json` writes it (HTML escaping on), so that a line rewritten here differs from the classic
 * tool's only in what changed. Lone surrogates, which UTF-8 cannot hold, are written as `\udXXX`.
 */
export const encodeString = (value: string): string =>
  `"${value.replace(escaped, char => short[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`

/** The value of a JSON string; `undefined` if `text` is absent or another kind of value. */
export const decodeString = (text: string | undefined): string | undefined =>
  text !== undefined && text.startsWith('"') ? (JSON.parse(text) as string) : undefined

/** The value of a JSON number; `undefined` if `text` is absent or another kind of value. Beyond 2^53 it is rounded. */
export const decodeNumber = (text: string | undefined): number | undefined =>
  text !== undefined && kind(text) === "number" ? Number(text) : undefined

/** A JSON object of the given members, compact. */
export const encodeObject = (object: ReadonlyArray<Member>): string =>
  `{${object.map(({ key, value }) => `${encodeString(key)}:${value}`).join(",")}}`

/** A JSON array of the given elements, compact. */
export const encodeArray = (array: ReadonlyArray<string>): string => `[${array.join(",")}]`

/** The digits and the power of ten of a JSON number: `1.50e2` is `15` and `1`. Exact at any length. */
const canonicalNumber = (text: string): string => {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)
  if (match === null) return text
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match
  const digits = (whole + fraction).replace(/^0+/, "")
  const significant = digits.replace(/0+$/, "")
  if (significant === "") return "0"
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length)
  return `${sign}${significant}e${power}`
}

/**
 * A text that two JSON values share exactly if they are the same value, however they were written: escapes, white
 * space, the order of an object's keys and the form of a number do not count. Iterative, for deeply nested values.
 */
export const canonical = (value: string): string => {
  interface Open {
    readonly keys: ReadonlyArray<string> | undefined
    readonly values: ReadonlyArray<string>
    readonly done: Array<string>
  }
  const stack: Array<Open> = []
  let next: string | undefined = value.trim()
  let result = ""
  for (;;) {
    if (next !== undefined) {
      const form = kind(next)
      if (form === "object") {
        // of a key that stands twice the last counts, as for every common reader
        const latest = new Map(members(next).map(member => [member.key, member.value]))
        const keys = [...latest.keys()].sort()
        stack.push({ keys, values: keys.map(key => latest.get(key) ?? "null"), done: [] })
      } else if (form === "array") {
        stack.push({ keys: undefined, values: elements(next), done: [] })
      } else {
        result = form === "string" ? JSON.stringify(JSON.parse(next)) : form === "number" ? canonicalNumber(next) : next
        if (stack.length === 0) return result
        stack[stack.length - 1]?.done.push(result)
      }
    }
    const open: Open | undefined = stack[stack.length - 1]
    if (open === undefined) return result
    next = open.values[open.done.length]
    if (next === undefined) {
      stack.pop()
      const parts =
        open.keys === undefined ? open.done : open.keys.map((key, i) => `${JSON.stringify(key)}:${open.done[i]}`)
      result = open.keys === undefined ? `[${parts.join(",")}]` : `{${parts.join(",")}}`
      const outer = stack[stack.length - 1]
      if (outer === undefined) return result
      outer.done.push(result)
    }
  }
}
