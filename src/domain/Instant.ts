/**
 * Time stamps as they stand in lines: RFC 3339 with up to nanoseconds and any offset. They are kept as text; this
 * module compares the instants they mean. What is no time stamp has no instant and comes before all that have one.
 */

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*(?:([Zz])|([+-])(\d{2}):?(\d{2}))?$/

/** Nanoseconds since the epoch; `undefined` if the text is no time stamp. Without an offset it is read as UTC. */
export const parse = (text: string | undefined): bigint | undefined => {
  const match = text === undefined ? null : pattern.exec(text.trim())
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second = "0", fraction = "", , sign, offsetHour = "0", offsetMinute = "0"] =
    match
  // 60: a leap second, read as the second after it
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  // a day that its month does not have would roll over
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined
  date.setUTCHours(Number(hour), Number(minute), Number(second), 0)
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === "-" ? -1 : 1)
  const milliseconds = BigInt(date.getTime() - offset * 60_000)
  return milliseconds * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, "0"))
}

/** Orders two instants; none comes first. */
export const order = (a: bigint | undefined, b: bigint | undefined): number => {
  if (a === b) return 0
  if (a === undefined) return -1
  if (b === undefined) return 1
  return a < b ? -1 : 1
}

/** Orders two time stamps by instant; what is no time stamp comes first. */
export const compare = (a: string | undefined, b: string | undefined): number => order(parse(a), parse(b))

/** An instant as text that sorts by time: UTC, nine digits of fraction. */
export const format = (instant: bigint): string => {
  const fraction = ((instant % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const date = new Date(Number((instant - fraction) / 1_000_000n))
  return `${date.toISOString().slice(0, -5)}.${fraction.toString().padStart(9, "0")}Z`
}

/** The instant of a time stamp as `format` writes it; empty if the text is no time stamp. */
export const sortable = (text: string | undefined): string => {
  const instant = parse(text)
  return instant === undefined ? "" : format(instant)
}
