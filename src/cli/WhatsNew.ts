/** `info --whats-new`: what somebody who knows the classic `bd` finds different. Pure. */
export const differences: ReadonlyArray<string> = [
  "Exit 0 of a change means that it is in the issue file, on disk; 7 means committed, not yet in the file.",
  "No daemon: each command takes in what changed in the issue file, and publishes what it changed itself.",
  "Changes of one issue on two sides are merged field by field; bd init --merge-driver lets git do so too.",
  "A deleted issue leaves a tombstone, which no merge overcomes; bd undelete brings the issue back.",
  "A line that cannot be read is never overwritten: bd doctor says which, and what to do.",
  "bd create -f - makes many issues from JSONL, all or none; --external-ref names one issue, however often it is asked for.",
  "bd claim and bd ready --claim: of several who ask at once one wins; exit 5 for the others.",
  "--json is one document, on failure too: {error: {code, message, hint}}; exit codes tell failures apart.",
  "bd search, count, q, history, log, undelete, flush and where are new; bd help lists all."
]
