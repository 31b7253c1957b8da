/** What a check of `doctor` tells, and how: the forms that its texts share. */

export interface Check {
  readonly name: string
  /** `warning`: worth knowing. `error`: something does not work, or will not. */
  readonly status: "ok" | "warning" | "error"
  readonly message: string
  readonly detail?: string
  /** What to do about it. */
  readonly fix?: string
}

/** What the next publish puts right. */
export const publishing = "Run 'bd flush'"

export const ok = (name: string, message: string, detail?: string): Check => ({
  name,
  status: "ok",
  message,
  ...(detail === undefined ? {} : { detail })
})

const shownMost = 10

/** The first of many, one a line. */
export const some = (all: ReadonlyArray<string>): string =>
  [
    ...all.slice(0, shownMost).map(each => each.replaceAll("\n", "\\n")),
    ...(all.length > shownMost ? [`and ${all.length - shownMost} more`] : [])
  ].join("\n")

export const counted = (count: number, one: string, many: string): string =>
  count === 1 ? `1 ${one}` : `${count} ${many}`
