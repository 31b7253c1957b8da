import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Argv from "../../src/cli/Argv.ts"
import { type CommandSpec, flagNames } from "../../src/cli/CommandSpec.ts"
import * as CommandTable from "../../src/cli/CommandTable.ts"

const run = (...words: ReadonlyArray<string>) => {
  const reading = Argv.read(words)
  if (reading._tag !== "Invocation") throw new Error(`${reading._tag}: ${JSON.stringify(reading)}`)
  return {
    path: reading.command.path.join(" "),
    globals: Object.fromEntries(reading.globals),
    flags: Object.fromEntries(reading.flags),
    positionals: reading.positionals
  }
}

const misread = (...words: ReadonlyArray<string>) => {
  const reading = Argv.read(words)
  if (reading._tag !== "Misread") throw new Error(`${reading._tag}: ${JSON.stringify(reading)}`)
  return reading.error._tag === "UsageError"
    ? { usage: reading.error.detail, hint: reading.error.hint }
    : { invalid: reading.error.message }
}

describe("words", () => {
  it("flags stand anywhere, before or after positionals", () => {
    const expected = { path: "create", globals: {}, flags: { type: ["bug"] }, positionals: ["A title"] }
    expect(run("create", "-t", "bug", "A title")).toEqual(expected)
    expect(run("create", "A title", "--type=bug")).toEqual(expected)
  })

  it("global flags stand before or after the command", () => {
    const expected = { path: "list", globals: { json: ["true"], actor: ["ann"] }, flags: {}, positionals: [] }
    expect(run("--json", "--actor", "ann", "list")).toEqual(expected)
    expect(run("list", "--json", "--actor=ann")).toEqual(expected)
    expect(run("dep", "--sandbox", "add", "a", "b").path).toBe("dep add")
    // front ends put it before every call
    expect(run("--sandbox", "show", "bd-1", "--json").positionals).toEqual(["bd-1"])
  })

  it("a value is given as --flag value, --flag=value, -f value, -fvalue or -f=value", () => {
    for (const form of [["--priority", "1"], ["--priority=1"], ["-p", "1"], ["-p1"], ["-p=1"]]) {
      expect(run("create", "x", ...form).flags).toEqual({ priority: ["1"] })
    }
  })

  it("a value may be empty, hold an equals sign, or begin with dashes", () => {
    expect(run("update", "a", "--description=").flags).toEqual({ description: [""] })
    expect(run("update", "a", "--assignee", "").flags).toEqual({ assignee: [""] })
    expect(run("update", "a", "--title=x=y").flags).toEqual({ title: ["x=y"] })
    expect(run("create", "--title", "--json").flags).toEqual({ title: ["--json"] })
    expect(run("create", "--title", "--").flags).toEqual({ title: ["--"] })
    expect(run("create", "--title", "--help").flags).toEqual({ title: ["--help"] })
    expect(run("create", "x", "-d", "-p1").flags).toEqual({ description: ["-p1"] })
  })

  it("only one text is read from stdin: the second would find nothing there and be emptied", () => {
    expect(misread("update", "a", "--notes", "-", "--design-file", "-")).toEqual({
      usage: "only one text can be read from stdin: --design-file, --notes",
      hint: undefined
    })
    expect(run("update", "a", "--notes", "-", "--assignee", "-").flags).toEqual({ notes: ["-"], assignee: ["-"] })
  })

  it("nothing is guessed from a word of which no letter would be left", () => {
    expect(misread("")).toEqual({ usage: 'unknown command ""', hint: "bd help lists the commands" })
    expect(misread("x")).toEqual({ usage: 'unknown command "x"', hint: "bd help lists the commands" })
    expect(misread("label", "foo").hint).toBe("bd help label lists the commands")
  })

  it("what begins with a dash and a space is text: front ends send a comment that is a list as one word", () => {
    expect(run("comment", "ID", "- first\n- second", "--author", "ann").positionals).toEqual([
      "ID",
      "- first\n- second"
    ])
    expect(run("create", "-- so").positionals).toEqual(["-- so"])
    expect(misread("create", "-5 degrees")).toMatchObject({ usage: "unknown flag -5 degrees of bd create" })
  })

  it("--stdin is short for --description-file -", () => {
    expect(run("create", "x", "--stdin").flags).toEqual({ "description-file": ["-"] })
    expect(run("create", "x", "--stdin=false").flags).toEqual({})
    expect(misread("create", "x", "--stdin", "-d", "y")).toMatchObject({
      usage: "--description and --stdin exclude each other"
    })
    expect(misread("update", "x", "--stdin", "--notes", "-")).toMatchObject({
      usage: "only one text can be read from stdin: --stdin, --notes"
    })
  })

  it("words after -- are text, whatever they look like", () => {
    expect(run("create", "--", "--json").positionals).toEqual(["--json"])
    expect(run("comments", "add", "a", "--", "--").positionals).toEqual(["a", "--"])
    expect(run("show", "--", "add", "-x").positionals).toEqual(["add", "-x"])
    expect(misread("--", "create")).toEqual({ usage: "a command must come before --", hint: undefined })
  })

  it("a lone dash is a word", () => {
    expect(run("comment", "a", "-").positionals).toEqual(["a", "-"])
    expect(run("create", "x", "-d", "-").flags).toEqual({ description: ["-"] })
  })

  it("flags may be repeated: lists collect, of others the last counts", () => {
    const { flags } = run("create", "x", "-l", "a,b", "--label", "c", "-p1", "-p2")
    expect(Argv.listOf(flags["labels"] ?? [])).toEqual(["a", "b", "c"])
    expect(flags["priority"]).toEqual(["1", "2"])
    expect(Argv.listOf([" a , ,b", ""])).toEqual(["a", "b"])
  })

  it("flags without value take =true and =false, and never the next word", () => {
    expect(Argv.isOn(run("list", "--json=false").globals["json"])).toBe(false)
    expect(Argv.isOn(run("list", "--json", "--json=false").globals["json"])).toBe(false)
    expect(Argv.isOn(run("list", "--json=TRUE").globals["json"])).toBe(true)
    expect(run("create", "--json", "false").positionals).toEqual(["false"])
    expect(misread("list", "--json=perhaps")).toEqual({
      invalid: 'invalid value "perhaps" for --json: expected true or false'
    })
  })

  it("letters without value may stand together", () => {
    expect(run("close", "a", "-fq")).toMatchObject({ flags: { force: ["true"] }, globals: { quiet: ["true"] } })
    expect(run("close", "a", "-qfrdone")).toMatchObject({ flags: { force: ["true"], reason: ["done"] } })
  })

  it("a text field may come from a file", () => {
    expect(run("create", "x", "--description-file", "a.txt").flags).toEqual({ "description-file": ["a.txt"] })
    expect(run("create", "x", "--body-file=-").flags).toEqual({ "description-file": ["-"] })
    expect(misread("create", "x", "-d", "a", "--description-file", "b")).toEqual({
      usage: "--description and --description-file exclude each other",
      hint: undefined
    })
  })
})

describe("commands", () => {
  it("go by their aliases too", () => {
    expect(run("new", "x").path).toBe("create")
    expect(run("view", "a").path).toBe("show")
    expect(run("done", "a").path).toBe("close")
    expect(run("label", "rm", "a", "l").path).toBe("label remove")
  })

  it("a group may be a command itself", () => {
    expect(run("comments", "bd-1").path).toBe("comments")
    expect(run("comments", "add", "bd-1", "text").path).toBe("comments add")
    expect(run("comments", "list", "bd-1").path).toBe("comments list")
    expect(run("dep", "a", "--blocked-by", "b")).toMatchObject({ path: "dep", flags: { "blocked-by": ["b"] } })
    expect(run("dep", "--blocked-by", "b", "a")).toMatchObject({ path: "dep", positionals: ["a"] })
  })

  it("an unknown command is an error, with the nearest", () => {
    expect(misread("crate", "x")).toEqual({ usage: 'unknown command "crate"', hint: 'did you mean "create"?' })
    expect(misread("xyzzy")).toEqual({ usage: 'unknown command "xyzzy"', hint: "bd help lists the commands" })
    expect(misread("label", "ad", "x", "y")).toEqual({
      usage: 'unknown command "label ad"',
      hint: 'did you mean "label add"?'
    })
    expect(misread("__proto__")).toMatchObject({ usage: 'unknown command "__proto__"' })
  })

  it("an unknown flag is an error, never a title", () => {
    expect(misread("create", "x", "--prioritty", "1")).toEqual({
      usage: "unknown flag --prioritty",
      hint: "did you mean --priority?"
    })
    expect(misread("list", "--LIMIT", "3")).toEqual({ usage: "unknown flag --LIMIT", hint: "did you mean --limit?" })
    expect(misread("create", "--frobnicate")).toMatchObject({ usage: "unknown flag --frobnicate of bd create" })
    expect(misread("--title", "x", "create")).toEqual({
      usage: "unknown flag --title",
      hint: "the flags of a command come after its name"
    })
    expect(misread("create", "x", "-Z")).toMatchObject({ usage: "unknown flag -Z of bd create" })
    expect(misread("create", "x", "---")).toMatchObject({ usage: "unknown flag --- of bd create" })
  })

  it("a word too many or too few is an error with the usage", () => {
    expect(misread("create", "Fix", "the", "bug")).toEqual({
      usage: 'unexpected word "the"',
      hint: "usage: bd create [TITLE]; text of several words goes in quotes"
    })
    expect(misread("claim")).toEqual({ usage: "ID is missing", hint: "usage: bd claim ID…" })
    expect(misread("label", "add", "a")).toEqual({ usage: "LABEL is missing", hint: "usage: bd label add ID… LABEL" })
    expect(misread("merge", "a", "b", "c")).toMatchObject({ usage: "RIGHT is missing" })
    expect(misread("create", "x", "--title")).toMatchObject({ usage: "--title needs a value" })
  })

  it("values that are no number, no time, no choice are invalid", () => {
    expect(misread("list", "-n", "many")).toEqual({
      invalid: 'invalid value "many" for -n: expected a whole number, 0 to 999999999999999'
    })
    expect(misread("list", "--limit=-1")).toHaveProperty("invalid")
    expect(misread("list", "--lock-timeout", "soon")).toEqual({
      invalid: 'invalid value "soon" for --lock-timeout: expected a time such as 500ms, 5s or 1m'
    })
    expect(misread("ready", "--sort", "bogus")).toEqual({
      invalid: 'invalid value "bogus" for --sort: expected one of priority, oldest, hybrid'
    })
  })

  it("durations are milliseconds, or have a unit", () => {
    expect(["500ms", "5s", "1m", "250", "1.5s", "0", "1h"].map(Argv.durationMillis)).toEqual([
      500, 5000, 60_000, 250, 1500, 0, 3_600_000
    ])
    expect(["", "s", "-1s", "1d", "1e3", "9".repeat(40), "5 s"].map(Argv.durationMillis)).toEqual(
      Array(7).fill(undefined)
    )
  })

  it("--readonly refuses what changes anything, --no-db everything", () => {
    expect(misread("--readonly", "create", "x")).toMatchObject({ usage: expect.stringContaining("--readonly") })
    expect(run("list", "--readonly").path).toBe("list")
    expect(misread("list", "--no-db")).toMatchObject({ usage: "--no-db is not supported" })
  })

  it("the first error is told, and --json after it still counts", () => {
    const reading = Argv.read(["list", "--bogus", "--alsobogus", "--json"])
    expect(reading).toMatchObject({ _tag: "Misread", error: { detail: "unknown flag --bogus of bd list" } })
    expect(Argv.isOn(reading.globals.get("json"))).toBe(true)
  })
})

describe("help and version", () => {
  const path = (...words: ReadonlyArray<string>) => {
    const reading = Argv.read(words)
    return reading._tag === "HelpWanted" ? reading.path.join(" ") : reading._tag
  }

  it("help is had by flag and by command", () => {
    expect(path()).toBe("")
    expect(path("--json")).toBe("")
    expect(path("help")).toBe("")
    expect(path("help", "new")).toBe("create")
    expect(path("help", "dep", "rm")).toBe("dep remove")
    expect(path("create", "--help")).toBe("create")
    expect(path("create", "-h", "--bogus")).toBe("create")
    expect(path("-h", "list")).toBe("list")
    expect(path("dep")).toBe("dep")
    expect(path("label")).toBe("label")
    expect(misread("help", "crate")).toEqual({
      usage: 'no help on "crate": there is no such command',
      hint: 'did you mean "create"?'
    })
  })

  it("the version is had by flag and by command", () => {
    expect(path("--version")).toBe("VersionWanted")
    expect(path("-v")).toBe("VersionWanted")
    expect(run("version").path).toBe("version")
    expect(misread("create", "x", "-v")).toMatchObject({ usage: "--version stands alone" })
  })
})

describe("the table", () => {
  const all: ReadonlyArray<CommandSpec> = CommandTable.commands

  it("has no name twice: commands, aliases, flags", () => {
    const words = all.flatMap(({ aliases = [], path }) => [
      path.join(" "),
      ...aliases.map(alias => [...path.slice(0, -1), alias].join(" "))
    ])
    expect(words).toEqual([...new Set(words)])
    const globals = [...flagNames(CommandTable.globalFlags).keys()]
    for (const command of all) {
      const own = Object.entries(command.flags).flatMap(([flag, spec]) => [...flagNames({ [flag]: spec }).keys()])
      expect([command.path.join(" "), [...own, ...globals]]).toEqual([
        command.path.join(" "),
        [...new Set([...own, ...globals])]
      ])
    }
  })

  it("has at most one positional that is not exactly one word, and its examples can be read", () => {
    for (const command of all) {
      expect(Object.values(command.positionals).filter(({ arity }) => arity !== "one").length).toBeLessThanOrEqual(1)
    }
  })
})

describe("any input", () => {
  const noise = FastCheck.oneof(
    FastCheck.constantFrom("--", "-", "---", "--=", "--json=false", "-p1", "-fq", "", "1", "bd-1", "add", "create"),
    FastCheck.constantFrom(...flagNames(CommandTable.globalFlags).keys()),
    FastCheck.string(),
    FastCheck.string().map(text => `--${text}`),
    FastCheck.string().map(text => `-${text}`)
  )
  const ownFlag = (command: CommandSpec) => {
    const names = [...flagNames(command.flags).keys()]
    return names.length === 0 ? noise : FastCheck.constantFrom(...names)
  }
  // mostly a command with its own flags and plain words, now and then anything at all
  const lines = FastCheck.oneof(
    { weight: 1, arbitrary: FastCheck.array(noise, { maxLength: 8 }) },
    {
      weight: 4,
      arbitrary: FastCheck.constantFrom(...all()).chain(command =>
        FastCheck.array(
          FastCheck.oneof(
            { weight: 3, arbitrary: FastCheck.constantFrom("bd-1", "a b", "1", "", "true") },
            { weight: 2, arbitrary: ownFlag(command) },
            { weight: 1, arbitrary: noise }
          ),
          { maxLength: 6 }
        ).map(rest => [...command.path, ...rest])
      )
    }
  )

  function all(): ReadonlyArray<CommandSpec> {
    return CommandTable.commands
  }

  it("crashes nothing; a reading uses every word, or is an error", () => {
    let invocations = 0
    FastCheck.assert(
      FastCheck.property(lines, words => {
        const reading = Argv.read(words)
        if (reading._tag === "Misread") expect(reading.error.message).not.toBe("")
        if (reading._tag !== "Invocation") return
        invocations++
        // every character typed is in the path, a flag's name, a value or a positional
        const names = flagNames({ ...CommandTable.globalFlags, ...reading.command.flags })
        const values = [...reading.globals.values(), ...reading.flags.values()].flat()
        const used = [...reading.positionals, ...values]
        let path = reading.command.path.length
        let text = false
        for (const word of words) {
          if (text || word === "-" || !word.startsWith("-")) {
            const index = used.indexOf(word)
            if (index !== -1) used.splice(index, 1)
            else expect(--path).toBeGreaterThanOrEqual(0)
          } else if (word === "--" && !used.includes("--")) {
            text = true
          } else {
            const name = word.startsWith("--") ? (word.split("=")[0] ?? "") : word.slice(0, 2)
            expect(names.has(name) || used.includes(word)).toBe(true)
          }
        }
        const normalized = Argv.normalized(reading)
        expect(normalized.slice(-reading.positionals.length - 1)).toEqual([
          "--",
          ...reading.positionals.map(word => `:${word}:`)
        ])
      }),
      { numRuns: 5000 }
    )
    expect(invocations).toBeGreaterThan(500)
  })

  it("what is written in the plainest form is read back as it was meant", () => {
    const commands = FastCheck.constantFrom(...all().filter(({ path }) => path[0] !== "help"))
    const text = FastCheck.oneof(FastCheck.string(), FastCheck.constantFrom("--", "-", "--help", "create", "=", ""))
    const invocation = commands.chain(command => {
      const taken = Object.entries(command.flags).filter(
        ([, { refused, shortFor }]) => refused === undefined && shortFor === undefined
      )
      const flags = taken.map(([name, spec]) => {
        const value: FastCheck.Arbitrary<string> =
          spec.kind === "none"
            ? FastCheck.constantFrom("true", "false")
            : spec.kind === "int"
              ? FastCheck.nat().map(String)
              : spec.kind === "choice"
                ? FastCheck.constantFrom(...(spec.choices ?? []))
                : text
        return FastCheck.tuple(FastCheck.constant(name), value, FastCheck.boolean(), FastCheck.constant(spec.kind))
      })
      const chosen: FastCheck.Arbitrary<ReadonlyArray<[string, string, boolean, string]>> =
        flags.length === 0 ? FastCheck.constant([]) : FastCheck.tuple(...flags).chain(list => FastCheck.subarray(list))
      const count = Object.values(command.positionals).length
      return FastCheck.record({
        command: FastCheck.constant(command),
        flags: chosen,
        positionals: FastCheck.array(text, { minLength: count, maxLength: count })
      })
    })
    FastCheck.assert(
      FastCheck.property(invocation, ({ command, flags, positionals }) => {
        FastCheck.pre(positionals.length > 0 || flags.length > 0 || command.path[0] !== "dep")
        FastCheck.pre(flags.filter(([, value, , kind]) => kind === "prose" && value === "-").length < 2)
        const words = flags.flatMap(([name, value, joined, kind]) =>
          joined || kind === "none" ? [`--${name}=${value}`] : [`--${name}`, value]
        )
        const reading = Argv.read([...command.path, ...words, "--", ...positionals])
        if (reading._tag !== "Invocation") throw new Error(JSON.stringify(reading))
        expect(reading.command.path).toEqual(command.path)
        expect(Object.fromEntries(reading.flags)).toEqual(
          Object.fromEntries(flags.map(([name, value]) => [name, [value]]))
        )
        expect(reading.positionals).toEqual(positionals)
      }),
      { numRuns: 3000 }
    )
  })
})
