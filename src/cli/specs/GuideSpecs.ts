/** Commands that tell how to work with `bd`, to people, agents and shells. */
import { spec } from "./Parts.ts"

const completion = {
  positionals: {},
  flags: { "no-descriptions": { kind: "none", summary: "accepted", hidden: true } },
  mutates: false
} as const

export const completionBash = spec({
  ...completion,
  path: ["completion", "bash"],
  summary: "Print the completion of bd for bash",
  examples: ["bd completion bash > ~/.local/share/bash-completion/completions/bd"]
})

export const completionZsh = spec({
  ...completion,
  path: ["completion", "zsh"],
  summary: "Print the completion of bd for zsh",
  examples: ["bd completion zsh > ~/.zsh/completions/_bd"],
  notes: "The file is named _bd, in a directory of $fpath."
})

export const completionFish = spec({
  ...completion,
  path: ["completion", "fish"],
  summary: "Print the completion of bd for fish",
  examples: ["bd completion fish > ~/.config/fish/completions/bd.fish"]
})

export const prime = spec({
  path: ["prime"],
  summary: "Tell an agent how to work with bd, and how the project stands",
  positionals: {},
  flags: {
    full: { kind: "none", summary: "accepted: there is one text" },
    mcp: { kind: "none", summary: "only how the project stands, for agents that know bd" }
  },
  examples: ["bd prime", "bd prime --json"],
  mutates: false,
  notes: "At most 60 lines. Outside of a project it prints nothing and exits 0, so that a hook may run it anywhere."
})

export const quickstart = spec({
  path: ["quickstart"],
  summary: "Show the first steps with bd",
  positionals: {},
  flags: {},
  examples: ["bd quickstart"],
  mutates: false
})

export const onboard = spec({
  path: ["onboard"],
  summary: "Print a section for AGENTS.md that tells agents to use bd",
  positionals: {},
  flags: {},
  examples: ["bd onboard", "bd onboard --quiet >> AGENTS.md"],
  mutates: false,
  notes: "With --quiet the section alone, without the words around it."
})
