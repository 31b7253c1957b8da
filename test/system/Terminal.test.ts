/** The built `bd` on a real pseudo-terminal, which `script` makes. */
import { existsSync } from "node:fs"
import { describe, expect, it } from "vitest"
import * as TextWidth from "../../src/cli/TextWidth.ts"
import { bd, environment, ok, program, type Repository, repository, run } from "./bd.ts"

const script = "/usr/bin/script"
const missing = !existsSync(script)

if (missing) console.warn("NOT RUN: bd on a terminal: there is no /usr/bin/script (util-linux) here")

const esc = "\u001b"

/** What stands on a terminal of so many columns; 0: of unknown width. */
const onTerminal = async ({ directory }: Repository, columns: number, words: string, env: NodeJS.ProcessEnv = {}) => {
  const typed = `stty cols ${columns} -onlcr; exec '${process.execPath}' '${program}' ${words}`
  const { COLUMNS: _, NO_COLOR: __, ...rest } = environment
  return run([script, "-qec", typed, "/dev/null"], { cwd: directory, env: { ...rest, TERM: "xterm-256color", ...env } })
}

/** Without the styles. */
const bare = (text: string): string => text.replace(new RegExp(`${esc}\\[[\\d;]*m`, "g"), "")

const long =
  "A title that goes on and on, 日本語 too, so that no terminal of eighty columns has room for the whole of it"

describe.skipIf(missing)(`on a terminal${missing ? " (NOT RUN: no script)" : ""}`, () => {
  const made = async (): Promise<Repository> => {
    const project = await repository()
    ok(await bd(project, "create", long, "--id", "t-long", "-p", "0"))
    ok(
      await bd(project, "create", `red ${esc}[31m and ${esc}]0;title\u0007`, "--id", "t-bad", "--blocked-by", "t-long")
    )
    return project
  }

  it("G33: lists are aligned and cut to the width, in colours, and nothing of a title is a control sequence", async () => {
    const project = await made()
    for (const columns of [40, 80, 200]) {
      for (const words of ["list", "ready", "blocked", "search t", "dep tree t-bad"]) {
        const { stdout } = ok(await onTerminal(project, columns, words))
        expect(stdout).toContain(`${esc}[36m`)
        const text = bare(stdout)
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/)
        const lines = text.split("\n").filter(line => /\bt-(?:long|bad)\b/.test(line))
        expect(lines.length).toBeGreaterThan(0)
        // the line of what asks for a tree, which has a title of its own, is not cut
        for (const line of lines.filter(line => !line.startsWith("🌲"))) {
          expect(TextWidth.of(line)).toBeLessThanOrEqual(columns)
        }
      }
    }
    expect(bare((await onTerminal(project, 200, "list")).stdout)).toContain("red \\x1b[31m and \\x1b]0;title\\x07")
  })

  it("a terminal whose width is not known gets whole titles; COLUMNS says it then", async () => {
    const project = await made()
    expect(bare(ok(await onTerminal(project, 0, "list")).stdout)).toContain(long)
    const { stdout } = ok(await onTerminal(project, 0, "list", { COLUMNS: "60" }))
    expect(bare(stdout)).toMatch(/A title.*…$/m)
  })

  it("NO_COLOR and a dumb terminal keep the table and lose the colours", async () => {
    const project = await made()
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
      const { stdout } = ok(await onTerminal(project, 80, "list", env))
      expect(stdout).not.toContain(esc)
      expect(stdout).toMatch(/^ID {6}P {3}TYPE {4}STATUS {2}TITLE$/m)
    }
  })

  it("a pipe gets one line an issue, whatever the environment says of colours", async () => {
    const project = await made()
    const { stdout } = ok(
      await run([process.execPath, program, "list", "--status", "open"], {
        cwd: project.directory,
        env: { FORCE_COLOR: "3", CLICOLOR_FORCE: "1", COLUMNS: "40", TERM: "xterm-256color" }
      })
    )
    expect(stdout.split("\n")[0]).toBe(`t-long [P0] [task] open - ${long}`)
    expect(stdout).not.toContain(esc)
  })
})
