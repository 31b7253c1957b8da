import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as IssueRecord from "../../src/domain/IssueRecord.ts"
import * as IssueLine from "../../src/issue-file/IssueLine.ts"
import * as IssueLines from "../../src/issue-file/IssueLines.ts"
import { realFiles } from "../realFiles.ts"
import { recordOf } from "../recordOf.ts"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const issue = (id: string, value: number | string = 0): string =>
  `{"id":${JSON.stringify(id)},"v":${JSON.stringify(value)}}`

/** `splice` on text; the fields beside the bytes as they are. */
const splice = (file: string, changes: Record<string, string>) => {
  const { bytes, written, removed } = IssueLines.splice(bytesOf(file), new Map(Object.entries(changes)))
  return { file: textOf(bytes), written, removed }
}

/** Ids whose order as UTF-8 differs from that as UTF-16, prefixes of each other, and ids that have to be escaped. */
const ids = FastCheck.constantFrom(
  "a",
  "a-1",
  "a-10",
  "a-2",
  "b",
  "A",
  "é",
  "\uff5e",
  "😀",
  "\ue000",
  'q"',
  "b\\",
  "a\n"
)

const byUtf8 = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** A file as somebody may have left it: any order, doubles, blank lines, both terminators, the last one or none. */
const files = FastCheck.tuple(
  FastCheck.array(
    FastCheck.tuple(
      FastCheck.oneof(
        { weight: 5, arbitrary: FastCheck.tuple(ids, FastCheck.nat(3)).map(([id, value]) => issue(id, value)) },
        { weight: 1, arbitrary: ids.map(id => ` {"v":1 , "id":${JSON.stringify(id)}}`) },
        { weight: 1, arbitrary: FastCheck.constantFrom("", " ", "\t") }
      ),
      FastCheck.constantFrom("\n", "\n", "\r\n")
    ),
    { maxLength: 10 }
  ),
  FastCheck.constantFrom("none", "kept", "cr")
).map(([lines, last]) => {
  const file = lines.map(([text, terminator]) => text + terminator).join("")
  return last === "kept" ? file : file.replace(/\r?\n$/, last === "cr" ? "\r" : "")
})

const changeSets = FastCheck.array(FastCheck.tuple(ids, FastCheck.nat(3)), { maxLength: 4 }).map(
  changes => new Map(changes.map(([id, value]) => [id, issue(id, value)]))
)

/** The lines of a file without their terminators; the blank ones too. */
const linesOf = (file: string): ReadonlyArray<string> => {
  const lines = file.split("\n").map(line => line.replace(/\r$/, ""))
  return file.endsWith("\n") || file === "" ? lines.slice(0, -1) : lines
}
const idOf = (line: string): string | undefined =>
  line.trim() === "" ? undefined : (JSON.parse(line) as { readonly id: string }).id

/** What the promise says of the issue lines, said without bytes: the lines of a file after a splice. */
const model = (file: string, changes: ReadonlyMap<string, string>): ReadonlyArray<string> => {
  const lines = linesOf(file).filter(line => idOf(line) !== undefined)
  const seen = new Set<string>()
  const result: Array<string> = []
  for (const line of lines) {
    const id = idOf(line) ?? ""
    const change = changes.get(id)
    if (change === undefined) result.push(line)
    else if (!seen.has(id)) result.push(change)
    seen.add(id)
  }
  for (const [id, line] of changes) if (!seen.has(id)) result.push(line)
  if (result.length === lines.length && result.every((line, i) => line === lines[i])) return lines
  return result.toSorted((a, b) => byUtf8(idOf(a) ?? "", idOf(b) ?? ""))
}

describe("splice", () => {
  it("G15: the issue lines are the old ones, in order, with exactly the changed ones replaced", () => {
    FastCheck.assert(
      FastCheck.property(files, changeSets, (file, changes) => {
        const { bytes } = IssueLines.splice(bytesOf(file), changes)
        const lines = linesOf(textOf(bytes))
        expect(lines.filter(line => idOf(line) !== undefined)).toEqual(model(file, changes))
      }),
      { numRuns: 1500 }
    )
  })

  it("G15: a file in order is spliced like any other: a blank line before it changes nothing behind it", () => {
    const inOrder = FastCheck.uniqueArray(ids, { minLength: 1 }).map(chosen =>
      chosen
        .toSorted(byUtf8)
        .map(id => `${issue(id)}\n`)
        .join("")
    )
    FastCheck.assert(
      FastCheck.property(inOrder, changeSets, (file, changes) => {
        const tidy = IssueLines.splice(bytesOf(file), changes)
        const other = IssueLines.splice(bytesOf(`\n${file}`), changes)
        expect(`\n${textOf(tidy.bytes)}`).toBe(textOf(other.bytes))
        expect([tidy.written, tidy.removed]).toEqual([other.written, other.removed])
      }),
      { numRuns: 1000 }
    )
  })

  it("G19: nothing but further lines of a changed issue leaves the file: blank lines stay behind their line", () => {
    /** Each issue line with the blank lines behind it. */
    const blocks = (file: string) => {
      const out: Array<{ id: string | undefined; blanks: Array<string> }> = [{ id: undefined, blanks: [] }]
      for (const line of linesOf(file)) {
        const id = idOf(line)
        if (id === undefined) out.at(-1)?.blanks.push(line)
        else out.push({ id, blanks: [] })
      }
      return out
    }
    FastCheck.assert(
      FastCheck.property(files, changeSets, (file, changes) => {
        const { bytes, removed } = IssueLines.splice(bytesOf(file), changes)
        const before = blocks(file)
        const after = blocks(textOf(bytes))
        for (const id of new Set(before.map(block => block.id))) {
          const blanks = (all: typeof before) => all.filter(block => block.id === id).flatMap(block => block.blanks)
          expect(blanks(after)).toEqual(blanks(before))
        }
        const added = [...changes.keys()].filter(id => !before.some(block => block.id === id)).length
        expect(after.length).toBe(before.length + added - removed)
      }),
      { numRuns: 1500 }
    )
  })

  it("G15: untouched lines keep their bytes, terminators included", () => {
    const whole = (text: string) => text.match(/[^\n]*\n/g) ?? []
    const complete = files.map(file => (file === "" || file.endsWith("\n") ? file : `${file}\n`))
    FastCheck.assert(
      FastCheck.property(complete, changeSets, (file, changes) => {
        const untouched = (text: string) =>
          whole(text)
            .filter(line => !changes.has(idOf(line) ?? ""))
            .toSorted()
        expect(untouched(textOf(IssueLines.splice(bytesOf(file), changes).bytes))).toEqual(untouched(file))
      }),
      { numRuns: 1000 }
    )
  })

  it("G15: written and removed count what was done, and nothing to do gives the very same array", () => {
    FastCheck.assert(
      FastCheck.property(files, changeSets, (file, changes) => {
        const bytes = bytesOf(file)
        const result = IssueLines.splice(bytes, changes)
        const lines = linesOf(file)
        const first = (id: string) => lines.find(line => idOf(line) === id)
        expect(result.written).toBe([...changes].filter(([id, line]) => first(id) !== line).length)
        expect(result.removed).toBe(
          [...changes.keys()].reduce(
            (sum, id) => sum + Math.max(0, lines.filter(line => idOf(line) === id).length - 1),
            0
          )
        )
        expect(result.bytes === bytes).toBe(result.written === 0 && result.removed === 0)
        if (result.bytes !== bytes) expect(textOf(result.bytes)).not.toBe(file)
        // and once more: everything is there already
        expect(IssueLines.splice(result.bytes, changes)).toEqual({ bytes: result.bytes, written: 0, removed: 0 })
      }),
      { numRuns: 1500 }
    )
  })

  it("G15: for any history, incremental splices give the file that a full rebuild gives", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(changeSets, { maxLength: 8 }), history => {
        let file: Uint8Array = new Uint8Array()
        const issues = new Map<string, string>()
        for (const changes of history) {
          file = IssueLines.splice(file, changes).bytes
          for (const [id, line] of changes) issues.set(id, line)
        }
        expect(textOf(file)).toBe(textOf(IssueLines.splice(new Uint8Array(), issues).bytes))
        expect(IssueLines.splice(file, issues).bytes).toBe(file)
      }),
      { numRuns: 1000 }
    )
  })

  it("G15: for any history that begins with a foreign file, incremental and full give the same issues", () => {
    FastCheck.assert(
      FastCheck.property(files, FastCheck.array(changeSets, { maxLength: 6 }), (start, history) => {
        let file = bytesOf(start)
        const issues = new Map(IssueLines.read(file).lines.map(({ id, text }) => [id, text]))
        file = IssueLines.splice(file, issues).bytes
        for (const changes of history) {
          file = IssueLines.splice(file, changes).bytes
          for (const [id, line] of changes) issues.set(id, line)
        }
        const full = IssueLines.splice(new Uint8Array(), issues).bytes
        const issuesOf = (bytes: Uint8Array) => new Map(IssueLines.read(bytes).lines.map(({ id, text }) => [id, text]))
        expect(issuesOf(file)).toEqual(issuesOf(full))
        expect(issuesOf(file)).toEqual(issues)
        expect(IssueLines.read(file).lines.length).toBe(issues.size)
      }),
      { numRuns: 1000 }
    )
  })

  it("G15: the order of the changes does not matter", () => {
    FastCheck.assert(
      FastCheck.property(files, changeSets, (file, changes) => {
        const reversed = new Map([...changes].reverse())
        expect(textOf(IssueLines.splice(bytesOf(file), reversed).bytes)).toBe(
          textOf(IssueLines.splice(bytesOf(file), changes).bytes)
        )
      })
    )
  })

  it("G15: one changed issue is one changed line, a new one is one new line at its place", () => {
    const file = `${issue("a")}\n${issue("c")}\n${issue("e")}\n`
    expect(splice(file, { c: issue("c", 1) })).toEqual({
      file: `${issue("a")}\n${issue("c", 1)}\n${issue("e")}\n`,
      written: 1,
      removed: 0
    })
    expect(splice(file, { d: issue("d") }).file).toBe(`${issue("a")}\n${issue("c")}\n${issue("d")}\n${issue("e")}\n`)
    expect(splice(file, { A: issue("A") }).file).toBe(`${issue("A")}\n${file}`)
    expect(splice(file, { f: issue("f") }).file).toBe(`${file}${issue("f")}\n`)
    expect(splice("", { b: issue("b"), a: issue("a") }).file).toBe(`${issue("a")}\n${issue("b")}\n`)
  })

  it("G15: lines are sorted by id as UTF-8 bytes", () => {
    const sorted = ["a", "a-1", "a-10", "a-2", "é", "\ue000", "\uff5e", "😀"]
    const changes = Object.fromEntries(sorted.map(id => [id, issue(id)]))
    expect(splice("", changes).file).toBe(sorted.map(id => `${issue(id)}\n`).join(""))
    const any = FastCheck.string({ unit: "grapheme", maxLength: 6 })
    FastCheck.assert(
      FastCheck.property(FastCheck.oneof(any, ids), FastCheck.oneof(any, ids), (a, b) => {
        expect(Math.sign(IssueLines.compareIds(a, b))).toBe(byUtf8(a, b))
      }),
      { numRuns: 2000 }
    )
  })

  it("G15: an unsorted file is sorted at the next publish, keeping bytes; without a change it is left alone", () => {
    const file = `\n{"v": 1.0, "id":"c"}\n \n${issue("b")}\r\n${issue("a")}\n`
    expect(splice(file, { a: issue("a") })).toEqual({ file, written: 0, removed: 0 })
    expect(splice(file, { b: issue("b", 1) }).file).toBe(
      `\n${issue("a")}\n${issue("b", 1)}\r\n{"v": 1.0, "id":"c"}\n \n`
    )
  })

  it("G15: two lines of one issue become the one that was merged from them; those of other issues stay", () => {
    const file = `${issue("a", 1)}\n${issue("a", 2)}\n${issue("b", 1)}\n${issue("b", 2)}\n`
    expect(splice(file, { a: issue("a", 3) })).toEqual({
      file: `${issue("a", 3)}\n${issue("b", 1)}\n${issue("b", 2)}\n`,
      written: 1,
      removed: 1
    })
    expect(splice(file, { a: issue("a", 1) })).toEqual({
      file: `${issue("a", 1)}\n${issue("b", 1)}\n${issue("b", 2)}\n`,
      written: 0,
      removed: 1
    })
  })

  it("G15: CRLF stays; new lines end in CRLF only where all lines do", () => {
    const crlf = `${issue("a")}\r\n${issue("c")}\r\n`
    expect(splice(crlf, { c: issue("c", 1), b: issue("b") }).file).toBe(
      `${issue("a")}\r\n${issue("b")}\r\n${issue("c", 1)}\r\n`
    )
    const mixed = `${issue("a")}\r\n${issue("c")}\n`
    expect(splice(mixed, { a: issue("a", 1), b: issue("b") }).file).toBe(
      `${issue("a", 1)}\r\n${issue("b")}\n${issue("c")}\n`
    )
  })

  it("G15: a complete last line without terminator is kept so, and gets one when something follows", () => {
    const file = `${issue("a")}\n${issue("c")}`
    expect(splice(file, { b: issue("b") }).file).toBe(`${issue("a")}\n${issue("b")}\n${issue("c")}`)
    expect(splice(file, { c: issue("c", 1) }).file).toBe(`${issue("a")}\n${issue("c", 1)}`)
    expect(splice(file, { d: issue("d") }).file).toBe(`${issue("a")}\n${issue("c")}\n${issue("d")}\n`)
    expect(splice(file, { c: issue("c", 1), d: issue("d") }).file).toBe(
      `${issue("a")}\n${issue("c", 1)}\n${issue("d")}\n`
    )
    expect(splice(`${issue("a")}\r\n${issue("c")}`, { d: issue("d") }).file).toBe(
      `${issue("a")}\r\n${issue("c")}\r\n${issue("d")}\r\n`
    )
    expect(splice(`${issue("a")}\r`, { b: issue("b") }).file).toBe(`${issue("a")}\r\n${issue("b")}\n`)
    expect(splice(`${issue("b")}\n${issue("a")}`, { b: issue("b", 1) }).file).toBe(`${issue("a")}\n${issue("b", 1)}\n`)
    expect(splice(`${issue("a")}\n  `, { b: issue("b") }).file).toBe(`${issue("a")}\n  \n${issue("b")}\n`)
    expect(splice("  ", { b: issue("b") }).file).toBe(`  \n${issue("b")}\n`)
  })

  it("G15: a small view into a large buffer is read and written as what it shows", () => {
    const around = bytesOf(`xx${issue("a")}\n${issue("b")}\nyy`)
    const view = around.subarray(2, around.length - 2)
    expect(textOf(IssueLines.splice(view, new Map([["a", issue("a", 1)]])).bytes)).toBe(
      `${issue("a", 1)}\n${issue("b")}\n`
    )
    expect(IssueLines.read(view).lines.map(({ id }) => id)).toEqual(["a", "b"])
  })

  it("G17: a line that cannot be read is kept, even if it begins like a line of the changed issue", () => {
    const broken = [
      '{"id":"a","v":',
      '{"id":"a","v":1,"id":"b"}',
      "<<<<<<< HEAD",
      "=======",
      ">>>>>>> theirs",
      "nonsense"
    ]
    for (const line of broken) {
      for (const file of [
        `${line}\n${issue("a")}\n`,
        `${issue("a")}\n${line}\n`,
        `${line}\n`,
        `${issue("a")}\n${line}`
      ]) {
        const result = splice(file, { a: issue("a", 1), b: issue("b") }).file
        expect(linesOf(result)).toContain(line)
        expect(linesOf(result)).toContain(issue("a", 1))
      }
    }
  })
})

/** A splice part by part, of a file that is shown at most `room` bytes at a time; undefined if that was given up. */
const partwise = (file: Uint8Array, changes: ReadonlyMap<string, string>, room: number, known = false) => {
  const splice = IssueLines.splicePartwise(changes, known)
  const out: Array<Uint8Array> = []
  let from = 0
  for (let to = 0, last = false; !last; ) {
    // as where no line fits in
    if (to === from + room) return undefined
    to = Math.min(file.length, from + room)
    last = to === file.length
    const made = splice.next(Buffer.from(file.subarray(from, to)), last)
    if (made === undefined) return undefined
    out.push(...made.pieces)
    from += made.used
  }
  return { bytes: Buffer.concat(out), written: splice.written() }
}

describe("splicePartwise", () => {
  const plain = FastCheck.uniqueArray(FastCheck.constantFrom("a", "a-1", "a-10", "a-2", "b", "A", "c", "d-1"))
  const lines = (chosen: ReadonlyArray<string>) => chosen.map(id => `${issue(id)}\n`).join("")

  it("G15: whatever part of it is shown at a time, a file in order becomes what it does as a whole", () => {
    FastCheck.assert(
      FastCheck.property(plain, changeSets, FastCheck.integer({ min: 40, max: 300 }), (chosen, changes, room) => {
        const file = bytesOf(lines(chosen.toSorted(byUtf8)))
        const { bytes, removed, written } = IssueLines.splice(file, changes)
        const made = partwise(file, changes, room)
        expect(partwise(file, changes, room, true)).toEqual(made)
        // nothing to write is left to who has the file as a whole
        if (written === 0 && removed === 0) expect(made).toBeUndefined()
        else expect(made && [textOf(made.bytes), made.written]).toEqual([textOf(bytes), written])
      }),
      { numRuns: 3000 }
    )
  })

  it("G15 G17: any other file becomes what it does as a whole, or is left alone", () => {
    FastCheck.assert(
      FastCheck.property(files, changeSets, FastCheck.integer({ min: 20, max: 200 }), (text, changes, room) => {
        const file = bytesOf(text)
        const made = partwise(file, changes, room)
        if (made !== undefined) expect(textOf(made.bytes)).toBe(textOf(IssueLines.splice(file, changes).bytes))
      }),
      { numRuns: 3000 }
    )
    // out of order, doubled, and not to be read, just behind the border of two parts
    for (const second of [issue("a"), issue("b"), '{"id":"c","v":', `${issue("c")}\r`, ""]) {
      const file = bytesOf(`${issue("b")}\n${second}\n`)
      const changes = new Map([["c", issue("c", 1)]])
      expect(partwise(file, changes, issue("b").length + 2)).toBeUndefined()
      expect(partwise(file, changes, 1000)).toBeUndefined()
    }
  })

  it("G15: a tidy file stays tidy by lines that are told to be so, and by no others", () => {
    const file = bytesOf(lines(["a", "b"]))
    const after = (text: string) => textOf(IssueLines.splice(file, new Map([["c", text]])).bytes)
    const next = new Map([["d", issue("d")]])
    for (const text of [
      issue("c"),
      `${issue("c")}\r`,
      '{"id":"c\\u0031"}',
      '{"title":"c","id":"c"}',
      ' {"id":"c"}',
      issue("é")
    ]) {
      // told by a file that ends with it
      expect(IssueLines.isTidy(text)).toBe(partwise(bytesOf(after(text)), next, 1000) !== undefined)
    }
  })

  it("G33: a line that is longer than the room is left to who has the file as a whole", () => {
    const file = bytesOf(`${issue("a")}\n${issue("b", "x".repeat(500))}\n${issue("c")}\n`)
    const changes = new Map([["a", issue("a", 1)]])
    expect(partwise(file, changes, 100)).toBeUndefined()
    expect(textOf(partwise(file, changes, 1000)?.bytes ?? new Uint8Array())).toBe(
      textOf(IssueLines.splice(file, changes).bytes)
    )
  })
})

describe("read", () => {
  it("G17: every line is read or told by its number, whatever the bytes", () => {
    const noise = FastCheck.array(
      FastCheck.constantFrom(
        ...[issue("a"), issue("b"), ` {"x":1,"id":"c"}`, "<<<<<<< HEAD", "=======", '{"id":', "[]", "", " "].map(
          bytesOf
        ),
        Uint8Array.of(0xff, 0xfe),
        Uint8Array.of(0x7b, 0x22, 0x69, 0x64, 0x22, 0x3a, 0x22, 0xe9, 0x22, 0x7d)
      ),
      { maxLength: 8 }
    )
    FastCheck.assert(
      FastCheck.property(
        noise,
        FastCheck.constantFrom("\n", "\r\n"),
        FastCheck.boolean(),
        (lines, terminator, ended) => {
          const file = Buffer.concat(
            lines.flatMap((line, i) => [line, bytesOf(i < lines.length - 1 || ended ? terminator : "")])
          )
          const { lines: issues, unreadable } = IssueLines.read(file)
          const told = new Map<number, string>(unreadable.map(({ number }) => [number, "unreadable"]))
          for (const { number, id, text } of issues) {
            expect(told.has(number)).toBe(false)
            expect(Buffer.from(text).equals(lines[number - 1] ?? bytesOf(""))).toBe(true)
            told.set(number, id)
          }
          lines.forEach((line, i) => {
            const decoded = IssueLine.decode(line)
            const blank = textOf(line).trim() === ""
            expect(told.get(i + 1)).toBe(
              blank ? undefined : IssueLine.isUnreadable(decoded) ? "unreadable" : decoded.id
            )
          })
        }
      ),
      { numRuns: 1000 }
    )
  })

  it("G17: a merge that is not resolved is told marker by marker", () => {
    const file = ["<<<<<<< HEAD", issue("a", 1), "=======", issue("a", 2), ">>>>>>> theirs", ""].join("\n")
    const { lines, unreadable } = IssueLines.read(bytesOf(file))
    expect(unreadable.map(({ number }) => number)).toEqual([1, 3, 5])
    expect(unreadable[0]?.reason).toContain("resolve the merge first")
    expect(lines.map(({ number }) => number)).toEqual([2, 4])
  })

  it("G17: a byte-order mark at the start of the file is told, not taken for a part of the first line", () => {
    expect(IssueLines.read(bytesOf(`\ufeff${issue("a")}\n`)).unreadable).toHaveLength(1)
  })

  it("G20: a line that is known by all of its text is not parsed again; any other text is", () => {
    const base = issue("a", 1)
    const asked: Array<[string, string]> = []
    const known = (id: string, text: string) => {
      asked.push([id, text])
      return text === base
    }
    const { lines, unreadable } = IssueLines.read(bytesOf(`${base}\n{"id":"a","v":1\n`), known)
    expect(asked).toEqual([
      ["a", base],
      ["a", '{"id":"a","v":1']
    ])
    expect(lines).toEqual([{ number: 1, id: "a", text: base }])
    expect(unreadable).toHaveLength(1)
  })
})

describe("scan", () => {
  it("G15: the ranges cover every byte of the file, once and in order", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(files, FastCheck.string({ unit: FastCheck.constantFrom("\r", "\n", "x") })),
        text => {
          const file = bytesOf(text)
          let at = 0
          for (const { start, end, terminatorEnd } of IssueLines.scan(file)) {
            expect(start).toBe(at)
            expect(end).toBeGreaterThanOrEqual(start)
            expect(["\n", "\r\n", "\r", ""]).toContain(textOf(file.subarray(end, terminatorEnd)))
            at = terminatorEnd
          }
          expect(at).toBe(file.length)
        }
      ),
      { numRuns: 1000 }
    )
  })

  it("G15: the quick look at a line's beginning finds the id that the codec finds", () => {
    const anyId = FastCheck.oneof(ids, FastCheck.string({ unit: "binary", minLength: 1, maxLength: 5 }))
    FastCheck.assert(
      FastCheck.property(
        anyId,
        FastCheck.constantFrom('{"id":', '{"v":1,"id":', '{ "id" : ', '{"\\u0069d":'),
        (id, start) => {
          const line = bytesOf(`${start}${JSON.stringify(id)},"x":"\\""}`)
          const decoded = IssueLine.decode(line)
          expect(IssueLines.scan(line).map(range => range.id)).toEqual([
            IssueLine.isUnreadable(decoded) ? undefined : decoded.id
          ])
        }
      ),
      { numRuns: 1000 }
    )
    expect(IssueLines.scan(bytesOf('{"id":""}')).map(({ id }) => id)).toEqual([undefined])
  })
})

describe("real files", () => {
  it.each(realFiles)("G18: all lines of %s are read", (_, file) => {
    const { lines, unreadable } = IssueLines.read(file)
    expect(unreadable).toEqual([])
    expect(lines.length).toBe(file.filter(byte => byte === 10).length)
    expect(textOf(IssueLines.splice(new Uint8Array(), new Map(lines.map(({ id, text }) => [id, text]))).bytes)).toBe(
      textOf(file)
    )
  })

  it.each(realFiles)("G15: in %s, one changed issue is one changed line", (_, file) => {
    const { lines } = IssueLines.read(file)
    for (const at of [0, Math.floor(lines.length / 2), lines.length - 1]) {
      const line = lines[at]
      if (line === undefined) throw new Error("no such line")
      const changed = IssueLine.encode(IssueRecord.set(recordOf(line.text), "title", '"changed"'))
      const { bytes, written, removed } = IssueLines.splice(file, new Map([[line.id, changed]]))
      expect({ written, removed }).toEqual({ written: 1, removed: 0 })
      const expected = linesOf(textOf(file)).toSpliced(at, 1, changed)
      expect(linesOf(textOf(bytes))).toEqual(expected)
    }
  })

  it.each(realFiles)("G21: publishing all of %s as it is writes nothing", (_, file) => {
    const all = new Map(IssueLines.read(file).lines.map(({ id, text }) => [id, text]))
    const { bytes, written, removed } = IssueLines.splice(file, all)
    expect({ written, removed }).toEqual({ written: 0, removed: 0 })
    expect(bytes === file).toBe(true)
  })
})
