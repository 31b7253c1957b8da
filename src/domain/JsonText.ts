/**
 * Lossless JSON: values as their source text.
 *
 * `JSON.parse` rounds integers beyond 2^53, turns `1.0` into `1`, moves integer-like keys to the front and swallows
 * `__proto__`. What this version did not write must survive all of that, so an object is read as the list of its
 * members, each value kept as the text it was written in; only what is asked for is decoded.
 *
 * The functions take *valid* JSON text: `isValid` is the gate, everything else relies on it. Text that ends too soon
 * throws; what else is wrong with it may go unseen.
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
  Zero: 48,
  Colon: 58,
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

const cutOff = (): never => {
  throw new SyntaxError("JSON text that ends too soon")
}

/** The index just behind the string that opens at `from`. */
const stringEnd = (text: string, from: number): number => {
  let at = from + 1
  for (;;) {
    const quote = text.indexOf('"', at)
    if (quote === -1) return cutOff()
    let slashes = 0
    while (text.charCodeAt(quote - 1 - slashes) === Char.Backslash) slashes++
    at = quote + 1
    if (slashes % 2 === 0) return at
  }
}

/** The index just behind the number or literal that starts at `from`. */
const scalarEnd = (text: string, from: number): number => {
  let at = from
  for (;;) {
    const char = text.charCodeAt(at)
    if (
      Number.isNaN(char) ||
      char === Char.Comma ||
      char === Char.CloseBracket ||
      char === Char.CloseBrace ||
      char === Char.Space ||
      char === Char.Tab ||
      char === Char.LineFeed ||
      char === Char.CarriageReturn
    ) {
      return at
    }
    at++
  }
}

const isOpening = (char: number) => char === Char.OpenBrace || char === Char.OpenBracket
const isClosing = (char: number) => char === Char.CloseBrace || char === Char.CloseBracket

/** The index just behind the value that starts at `from`. Iterative: nesting depth costs no stack. */
const valueEnd = (text: string, from: number): number => {
  const first = text.charCodeAt(from)
  if (first === Char.Quote) return stringEnd(text, from)
  if (!isOpening(first)) return scalarEnd(text, from)
  let depth = 1
  let at = from + 1
  while (depth > 0) {
    const char = text.charCodeAt(at)
    if (char === Char.Quote) {
      at = stringEnd(text, at)
    } else {
      if (isOpening(char)) depth++
      else if (isClosing(char)) depth--
      else if (Number.isNaN(char)) return cutOff()
      at++
    }
  }
  return at
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
  text?.startsWith('"') ? (JSON.parse(text) as string) : undefined

/**
 * The value of a JSON number; `undefined` if `text` is absent or another kind of value. Beyond 2^53 it is rounded; one
 * that is beyond all numbers (`1e400`) is none: neither JSON nor SQLite has infinity.
 */
export const decodeNumber = (text: string | undefined): number | undefined => {
  const value = text !== undefined && kind(text) === "number" ? Number(text) : undefined
  return Number.isFinite(value) ? value : undefined
}

/** A JSON object of the given members, compact. */
export const encodeObject = (object: ReadonlyArray<Member>): string =>
  `{${object.map(({ key, value }) => `${encodeString(key)}:${value}`).join(",")}}`

/** A JSON array of the given elements, compact. */
export const encodeArray = (array: ReadonlyArray<string>): string => `[${array.join(",")}]`

/** Any valid JSON text as one line that UTF-8 can hold: line feeds stand between tokens only, surrogates in strings only. */
export const oneLine = (text: string): string =>
  mayBeUnwritable.test(text) && unwritable.test(text)
    ? text.replace(/\n/g, " ").replace(loneSurrogate, char => `\\u${char.charCodeAt(0).toString(16)}`)
    : text

/** Ten times as fast as the exact look, which only text beyond the basic plane needs. */
const mayBeUnwritable = /[\n\ud800-\udfff]/
const unwritable = /\n|[\ud800-\udfff]/u
const loneSurrogate = /[\ud800-\udfff]/gu

/** The digits and the power of ten of a JSON number: `1.50e2` is `15` and `1`. Exact at any length, and linear in it. */
const canonicalNumber = (text: string): string => {
  const sign = text.startsWith("-") ? "-" : ""
  const [mantissa = "", exponent = "0"] = text.slice(sign.length).split(/[eE]/)
  const [whole = "", fraction = ""] = mantissa.split(".")
  const digits = whole + fraction
  // no regular expression for the zeros at the end: it would be quadratic in those in the middle
  let start = 0
  while (start < digits.length && digits.charCodeAt(start) === Char.Zero) start++
  let end = digits.length
  while (end > start && digits.charCodeAt(end - 1) === Char.Zero) end--
  if (start === end) return "0"
  return `${sign}${digits.slice(start, end)}e${BigInt(exponent) + BigInt(whole.length - end)}`
}

/** An object or array whose end is not reached yet. */
type Open =
  | { readonly form: "array"; body: string }
  | { readonly form: "object"; readonly values: Map<string, string>; key: string | undefined }

/** The canonical text of what `open` holds. Joined with `+`, which copies nothing: `join` would copy once a level. */
const close = (open: Open): string => {
  if (open.form === "array") return `[${open.body}]`
  let body = ""
  for (const key of [...open.values.keys()].sort()) {
    body += `${body === "" ? "" : ","}${JSON.stringify(key)}:${open.values.get(key)}`
  }
  return `{${body}}`
}

/**
 * A text that two JSON values share exactly if they are the same value, however they were written: escapes, white
 * space, the order of an object's keys and the form of a number do not count; of a key that stands twice the last does,
 * as for every common reader. One pass with a stack of its own: time is linear, and nesting costs no call stack.
 */
export const canonical = (value: string): string => {
  const stack: Array<Open> = []
  let at = 0
  for (;;) {
    at = skipSpace(value, at)
    const char = value.charCodeAt(at)
    const open = stack[stack.length - 1]
    let done: string | undefined
    if (char === Char.Comma || char === Char.Colon) {
      at++
    } else if (char === Char.OpenBrace) {
      at++
      stack.push({ form: "object", values: new Map(), key: undefined })
    } else if (char === Char.OpenBracket) {
      at++
      stack.push({ form: "array", body: "" })
    } else if (open !== undefined && isClosing(char)) {
      at++
      stack.pop()
      done = close(open)
    } else if (char === Char.Quote) {
      const end = stringEnd(value, at)
      const string = JSON.parse(value.slice(at, end)) as string
      at = end
      if (open?.form === "object" && open.key === undefined) open.key = string
      else done = JSON.stringify(string)
    } else {
      const end = scalarEnd(value, at)
      const scalar = value.slice(at, end)
      at = end
      done = kind(scalar) === "number" ? canonicalNumber(scalar) : scalar
    }
    if (done === undefined) continue
    const outer = stack[stack.length - 1]
    if (outer === undefined) return done
    if (outer.form === "array") {
      outer.body += outer.body === "" ? done : `,${done}`
    } else {
      outer.values.set(outer.key ?? "", done)
      outer.key = undefined
    }
  }
}
