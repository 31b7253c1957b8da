/** Hygiene of the repository itself: what is tracked must not tie it to one machine or one registry. */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"

const tracked = execFileSync("git", ["ls-files", "-z"], { encoding: "utf8" }).split("\0").filter(Boolean)

it("tooling: package-lock.json names no registry host", () => {
  expect(readFileSync("package-lock.json", "utf8")).not.toMatch(/"resolved"/)
})

it("tooling: no tracked file contains a path of the machine it was written on", () => {
  expect(tracked.length).toBeGreaterThan(0)
  const machinePath = new RegExp(["/work/", "main|/", "root/|/home/", "[a-z]+/"].join(""))
  const offending = tracked.filter(path => machinePath.test(readFileSync(path, "utf8")))
  expect(offending).toEqual([])
})
