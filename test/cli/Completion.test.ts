/** The completion scripts, run by the shells themselves where they are installed. */
import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { type CommandSpec, flagNames } from "../../src/cli/CommandSpec.ts"
import * as CommandTable from "../../src/cli/CommandTable.ts"
import * as Completion from "../../src/cli/Completion.ts"
import { bd, directory } from "./harness.ts"

const all: ReadonlyArray<CommandSpec> = CommandTable.commands

const shown = all.filter(({ hidden }) => hidden !== true)

const isInstalled = (shell: string): boolean => spawnSync(shell, ["--version"]).status === 0

/** Runs a script file in a shell, and gives the lines it prints. */
const lines = (shell: string, script: string): ReadonlyArray<string> => {
  const at = mkdtempSync(path.join(tmpdir(), "bd-completion-"))
  try {
    writeFileSync(path.join(at, "script"), script)
    const args = shell === "zsh" ? ["-f"] : shell === "fish" ? ["--no-config"] : ["--norc"]
    return execFileSync(shell, [...args, path.join(at, "script")], { encoding: "utf8", cwd: at, timeout: 20_000 })
      .split("\n")
      .filter(line => line !== "")
  } finally {
    rmSync(at, { recursive: true, force: true })
  }
}

const quoted = (word: string) => `'${word}'`

/** What each shell would offer for each of these command lines; the last word is the one being typed. */
const offers: Readonly<Record<Completion.Shell, (lists: ReadonlyArray<ReadonlyArray<string>>) => string>> = {
  bash: lists =>
    `${Completion.script("bash")}\n${lists
      .map(words => {
        // bash splits at = and gives the = as a word
        const split = words.flatMap(word =>
          /^--.+=/.test(word) ? word.split(/(=)/).filter(part => part !== "") : word
        )
        return `COMP_WORDS=(bd ${split.map(quoted).join(" ")}); COMP_CWORD=${split.length}; _bd; echo "\${COMPREPLY[*]}."`
      })
      .join("\n")}`,
  // the functions that zsh itself would bring
  zsh: lists =>
    `compdef() { }\n_files() { print -n FILES }\ncompset() { [[ $1 == -P ]] || exit 9 }
_describe() { print -rn -- "\${(M@)\${(@)\${(P)@[-1]}%%:*}:#\${cur#*=}*}" }\n${Completion.script("zsh")}\n${lists
      .map(words => `words=(bd ${words.map(quoted).join(" ")}); CURRENT=${words.length + 1}; _bd; echo .`)
      .join("\n")}`,
  fish: lists =>
    `${Completion.script("fish")}\n${lists
      .map(words => `set found (complete -C "bd ${words.join(" ")}" | string replace -r '\\t.*' ''); echo "$found."`)
      .join("\n")}`
}

const offered = (shell: Completion.Shell, ...lists: ReadonlyArray<ReadonlyArray<string>>) => {
  const found = lines(shell, offers[shell](lists))
  expect(found).toHaveLength(lists.length)
  return found.map(line =>
    line
      .replace(/\.$/, "")
      .split(" ")
      .filter(word => word !== "")
  )
}

const shells: ReadonlyArray<Completion.Shell> = (["bash", "zsh", "fish"] as const).filter(shell => {
  if (isInstalled(shell)) return true
  process.stderr.write(`NOT RUN: the completion for ${shell} was not tried, since ${shell} is not installed\n`)
  return false
})

describe("completion", () => {
  it("bash is there to try it", () => expect(shells).toContain("bash"))

  for (const shell of shells) {
    it(`${shell}: offers every command, subcommand and flag of the table, and nothing that is hidden`, () => {
      const paths = [
        ...new Set(["", ...shown.flatMap(({ path: own }) => own.map((_, i) => own.slice(0, i).join(" ")))])
      ]
      const wordsOf = (under: string) => [
        ...new Set(
          shown.flatMap(({ path: own }) => {
            const start = under === "" ? [] : under.split(" ")
            const next = own[start.length]
            return next !== undefined && start.every((word, i) => own[i] === word) ? [next] : []
          })
        )
      ]
      const asked = paths.map(under => [...(under === "" ? [] : under.split(" ")), ""])
      for (const [i, found] of offered(shell, ...asked).entries()) {
        expect([...found].sort(), paths[i]).toEqual([...wordsOf(paths[i] ?? "")].sort())
      }
      const flags = offered(shell, ...shown.map(({ path: own }) => [...own, "--"]))
      for (const [i, found] of flags.entries()) {
        const spec = shown[i]
        if (spec === undefined) throw new Error("one answer a command")
        const visible = Object.fromEntries(
          Object.entries({ ...spec.flags, ...CommandTable.globalFlags }).filter(([, flag]) => !("hidden" in flag))
        )
        const names = [...flagNames(visible)].flatMap(([name, { flag, fromFile }]) =>
          name === `--${flag}${fromFile ? "-file" : ""}` ? [name] : []
        )
        expect(found.filter(name => name.startsWith("--")).sort(), spec.path.join(" ")).toEqual(names.sort())
      }
    }, 60_000)

    it(`${shell}: completes what was begun, values by their flag, and no command behind a flag's value`, () => {
      const [begun, sub, values, equals, aliased, globalBefore, value, help, text, none] = offered(
        shell,
        ["cre"],
        ["dep", "add", "a", "b", "--ty"],
        ["update", "x", "--status", "in"],
        ["create", "--type=fea"],
        ["new", "--acceptance-cri", "--ty"],
        ["--actor", "list", "lis"],
        ["list", "--sort", ""],
        ["help", "lab"],
        ["create", "--", "li"],
        ["show", "li"]
      )
      expect(begun).toEqual(["create"])
      expect(sub).toEqual(["--type"])
      expect(values).toEqual(["in_progress"])
      expect(equals?.map(word => word.replace("--type=", ""))).toEqual(["feature"])
      expect(aliased).toEqual(["--type"])
      expect(globalBefore).toEqual(["list"])
      expect(value).toContain("updated")
      expect(help).toEqual(["label"])
      expect(text).toEqual([])
      expect(none).toEqual([])
    })
  }

  it.scopedLive("each script comes on stdout, also as JSON, and needs no project", () =>
    Effect.gen(function* () {
      const at = yield* directory
      for (const shell of ["bash", "zsh", "fish"] as const) {
        const script = Completion.script(shell)
        expect(yield* bd(at, ["completion", shell])).toEqual({ exitCode: 0, stdout: script, stderr: "" })
        expect(JSON.parse((yield* bd(at, ["completion", shell, "--json"])).stdout)).toEqual({ shell, script })
      }
      expect(yield* bd(at, ["completion", "fisch"])).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('did you mean "completion fish"?')
      })
    })
  )
})
