/** What the README tells people to type: its fenced blocks, and the commands in them. */
import { readFileSync } from "node:fs"

export interface Block {
  /** The heading it stands under. */
  readonly section: string
  readonly language: string
  readonly text: string
}

export const blocksOf = (markdown: string): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  let section = ""
  let open: { readonly language: string; readonly lines: Array<string> } | undefined
  for (const line of markdown.split("\n")) {
    const fence = /^```(\w*)$/.exec(line)
    if (open !== undefined && fence !== null) {
      blocks.push({ section, language: open.language, text: open.lines.join("\n") })
      open = undefined
    } else if (open !== undefined) open.lines.push(line)
    else if (fence !== null) open = { language: fence[1] ?? "", lines: [] }
    else section = /^#+ (.*)$/.exec(line)?.[1] ?? section
  }
  return blocks
}

/** The commands of a block, one a line, without what is said about them. */
export const commandsOf = ({ text }: Block): ReadonlyArray<string> =>
  text
    .split("\n")
    .map(line => line.replace(/(^|\s)#.*$/, "").trim())
    .filter(line => line !== "")

const all = blocksOf(readFileSync(new URL("../../README.md", import.meta.url), "utf8"))

/** The commands that the README has under a heading. */
export const commandsUnder = (section: string): ReadonlyArray<string> =>
  all.filter(block => block.section === section && block.language === "sh").flatMap(commandsOf)

/** Every command of the README's blocks. */
export const commands = (): ReadonlyArray<string> => all.filter(({ language }) => language === "sh").flatMap(commandsOf)

/** The program that the README has under a heading. */
export const programUnder = (section: string): string => {
  const block = all.find(block => block.section === section && block.language === "ts")
  if (block === undefined) throw new Error(`the README has no program under "${section}"`)
  return block.text
}
