/** Many processes at once: nothing acknowledged is missing anywhere, and nothing is left to do. */
import { describe, expect, it } from "vitest"
import { bd, type Ended, issues, leftovers, lines, type Repository, repository, type Shown, stored } from "./bd.ts"

const processes = 30
const rounds = 5

const numbers = Array.from({ length: processes }, (_, number) => number)

const answer = ({ stdout }: Ended): Shown => JSON.parse(stdout) as Shown

/** Store and file hold the same issues, the file sorted, and no mark, temp or aside file is left. */
const expectSettled = (place: Repository) => {
  const { integrity, lines: rows, marks } = stored(place)
  expect(integrity).toBe("ok")
  expect(marks).toEqual([])
  expect(leftovers(place)).toEqual([])
  expect(lines(place)).toEqual(
    [...rows].sort((one, other) => Buffer.compare(Buffer.from(one.id), Buffer.from(other.id))).map(({ line }) => line)
  )
}

describe(`${processes} processes at once`, () => {
  it(`G11, G13: create, ${rounds} rounds: every acknowledged issue is in store and file, each id once`, async () => {
    const place = await repository()
    const acknowledged = new Map<string, string>()
    for (let round = 0; round < rounds; round++) {
      const ended = await Promise.all(
        numbers.map(number => bd(place, "create", `round ${round} process ${number}`, "--json"))
      )
      expect(ended.filter(({ exitCode }) => exitCode !== 0)).toEqual([])
      for (const { id, title } of ended.map(answer)) {
        expect(acknowledged.has(id)).toBe(false)
        acknowledged.set(id, title)
      }
      expect(new Map(issues(place).map(({ id, title }) => [id, title]))).toEqual(
        new Map([...acknowledged].sort(([one], [other]) => (one < other ? -1 : 1)))
      )
      expectSettled(place)
    }
    expect(acknowledged.size).toBe(processes * rounds)
  })

  it("G11, G13: update of one issue: every label is there, in store and file", async () => {
    const place = await repository(["the one", "another"])
    const [{ id } = { id: "" }] = issues(place)
    const untouched = lines(place).filter(line => !line.includes(`"${id}"`))
    const ended = await Promise.all(numbers.map(number => bd(place, "update", id, "--add-label", `label-${number}`)))
    expect(ended.filter(({ exitCode }) => exitCode !== 0)).toEqual([])
    const labels = issues(place).find(issue => issue.id === id)?.labels
    expect(labels).toEqual(numbers.map(number => `label-${number}`).sort())
    expect(lines(place)).toEqual(expect.arrayContaining(untouched))
    expectSettled(place)
  })

  it("G13: a claim of one issue: one winner, exit 5 for the others", async () => {
    const place = await repository(["the one"])
    const [{ id } = { id: "" }] = issues(place)
    const ended = await Promise.all(
      numbers.map(number =>
        bd(
          place,
          number % 2 === 0 ? "claim" : "update",
          id,
          ...(number % 2 === 0 ? [] : ["--claim"]),
          "--actor",
          `agent-${number}`
        )
      )
    )
    const winners = numbers.filter(number => ended[number]?.exitCode === 0)
    expect(winners).toHaveLength(1)
    expect(ended.filter(({ exitCode }) => exitCode === 5)).toHaveLength(processes - 1)
    expect(issues(place)).toMatchObject([{ assignee: `agent-${winners[0]}`, status: "in_progress" }])
    expectSettled(place)
  })

  it("G13: create with one external reference: one issue, and each is told of it", async () => {
    const place = await repository()
    const ended = await Promise.all(
      numbers.map(number => bd(place, "create", `by ${number}`, "--external-ref", "gh-1", "--json"))
    )
    expect(ended.filter(({ exitCode }) => exitCode !== 0)).toEqual([])
    expect(issues(place)).toHaveLength(1)
    expect(new Set(ended.map(each => answer(each).id))).toEqual(new Set(issues(place).map(({ id }) => id)))
    expect(ended.filter(({ stderr }) => stderr.includes("this external reference already"))).toHaveLength(processes - 1)
    expectSettled(place)
  })

  it("G13: ready --claim: each gets a different issue", async () => {
    const place = await repository(numbers.map(number => `work ${number}`))
    const ended = await Promise.all(
      numbers.map(number => bd(place, "ready", "--claim", "--json", "--actor", `agent-${number}`))
    )
    expect(ended.filter(({ exitCode }) => exitCode !== 0)).toEqual([])
    const claimed = ended.map(({ stdout }) => JSON.parse(stdout) as ReadonlyArray<Shown>)
    expect(claimed.map(found => found.length)).toEqual(numbers.map(() => 1))
    expect(new Set(claimed.flat().map(({ id }) => id)).size).toBe(processes)
    const none = await bd(place, "ready", "--claim", "--json")
    expect([none.exitCode, JSON.parse(none.stdout)]).toEqual([0, []])
    expectSettled(place)
  })

  it("G13: an update, a comment, a close and a create at once: all of it is there", async () => {
    const place = await repository(["the one"])
    const [{ id } = { id: "" }] = issues(place)
    const ended = await Promise.all(
      numbers.map(number => {
        switch (number % 4) {
          case 0:
            return bd(place, "update", id, "--append-notes", `note ${number}.`)
          case 1:
            return bd(place, "comment", id, `comment ${number}`)
          case 2:
            return bd(place, "create", `issue ${number}`)
          default:
            return bd(place, number % 8 === 3 ? "close" : "reopen", id)
        }
      })
    )
    expect(ended.filter(({ exitCode }) => exitCode !== 0)).toEqual([])
    const line = lines(place).find(text => text.includes(`"id":"${id}"`)) ?? ""
    for (const number of numbers) {
      if (number % 4 === 0) expect(line).toContain(`note ${number}.`)
      if (number % 4 === 1) expect(line).toContain(`comment ${number}"`)
    }
    expect(issues(place).map(({ title }) => title)).toEqual(
      expect.arrayContaining(numbers.filter(number => number % 4 === 2).map(number => `issue ${number}`))
    )
    expectSettled(place)
  })
})
