/** `.beads/.gitignore`: what git must not carry, and what it must. Pure. */

export const template = `# The store: a cache of the issue file
*.db
*.db?*
*.db-journal
*.db-wal
*.db-shm
*.lock
.*.tmp
.*.aside
quarantine/

# The classic tool's daemon
daemon.lock
daemon.log
daemon.pid
bd.sock

# What git carries
!*.jsonl
!metadata.json
!config.json
`

const isRule = (line: string): boolean => line.trim() !== "" && !line.startsWith("#")

const rulesOf = (text: string): ReadonlyArray<string> =>
  text
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(isRule)

/** The rules that a `.gitignore` lacks. */
export const missing = (text: string): ReadonlyArray<string> => {
  const present = new Set(rulesOf(text))
  return rulesOf(template).filter(rule => !present.has(rule))
}

/** The text with what it lacks behind it; what is there keeps its place. */
export const complete = (text: string): string => {
  const lacking = missing(text)
  if (lacking.length === 0) return text
  if (text.trim() === "") return template
  return `${text}${text.endsWith("\n") ? "" : "\n"}\n# Added by bd doctor\n${lacking.join("\n")}\n`
}
