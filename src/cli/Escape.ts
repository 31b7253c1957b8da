/**
 * Makes hostile text harmless on a terminal (G33): a title cannot move the cursor, clear the screen or reorder what is
 * read.
 */

// C0 without tab and line feed, DEL, C1, the directional overrides and isolates, line and paragraph separators
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/
const unsafe = new RegExp(`${control.source}|${loneSurrogate.source}`, "g")

/** Replaces what is unsafe. Long answers nearly never hold any, and to tell so takes a third of the time. */
const replaced = (value: string, replacement: (char: string) => string): string =>
  value.isWellFormed() && !control.test(value) ? value : value.replace(unsafe, replacement)

const visible = (char: string): string => {
  const code = char.charCodeAt(0)
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`
}

/** Text of several lines: all control characters but tab and line feed become visible. Idempotent. */
export const text = (value: string): string => replaced(value, visible)

/** A value within one line: line feeds and tabs become visible too. */
export const line = (value: string): string => text(value).replaceAll("\n", "\\n").replaceAll("\t", "\\t")

/** JSON text of `JSON.stringify`, which has escaped halves of surrogate pairs itself; it stays the same JSON. */
export const json = (value: string): string =>
  control.test(value) ? value.replace(unsafe, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`) : value

/**
 * Escaped text as the bytes that go out. Only this module makes it: there is no way round the escaping. Bytes, because long
 * texts are moved about in the heap, and take there two bytes a character as soon as one of them is beyond Latin-1.
 */
export class Escaped {
  declare private readonly _: never
  readonly bytes: Uint8Array

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  static readonly text = (value: string) => new Escaped(Buffer.from(text(value)))
  static readonly json = (value: string) => new Escaped(Buffer.from(json(value)))
}
