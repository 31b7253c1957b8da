/** Commands of the classic tool that are not here, and what to do instead. Pure. */
export const instead: ReadonlyMap<string, string> = new Map([
  ["edit", "bd update ID --description-file FILE sets a long text; - as the text reads stdin"],
  ["compact", "nothing is compacted: bd list --brief and bd show --fields keep answers short"],
  ["restore", "bd history ID --json has every earlier version of an issue"],
  ["cleanup", "closed issues may stay; bd delete takes many ids, --from-file too"],
  ["clean", "no leftovers of merges are made; bd doctor finds leftovers of crashes"],
  ["template", "bd create --file FILE makes issues that Markdown or JSONL describes"],
  ["repo", "each project has a .beads of its own; --db and BEADS_DIR choose one"],
  ["setup", "bd onboard prints a section for AGENTS.md, and a hook may run bd prime"],
  ["message", "bd comment ID TEXT tells whoever looks at the issue next"],
  ["daemons", "there is no daemon, and none is needed"],
  ["migrate-hash-ids", "ids stay as they are, whatever their form; new ones are hashes"],
  ["migrate-issues", "bd export and bd import move issues from one project to another"]
])
