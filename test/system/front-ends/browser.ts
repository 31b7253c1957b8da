/** Debian's chromium for the tests, driven by playwright-core, which brings no browser of its own. */
import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll, beforeAll, onTestFinished } from "vitest"

const isProgram = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const found =
  process.env["CHROMIUM"] ??
  ["chromium", "chromium-browser"]
    .flatMap(name => (process.env["PATH"] ?? "").split(delimiter).map(directory => join(directory, name)))
    .find(isProgram)

/** Where there is none the tests in a browser are left out, except in CI, where launching it then fails. */
export const noBrowser = found === undefined && process.env["CI"] === undefined
if (noBrowser) {
  process.stderr.write(
    "\n*** NOT RUN: the tests in a browser, for there is no chromium on PATH (apt-get install chromium, or CHROMIUM=…)\n\n"
  )
}

export interface Visit {
  readonly page: Page
  /** Every address that was loaded. */
  readonly loaded: ReadonlyArray<string>
}

/** A browser for the tests of a file; each visit is a window of its own that ends with its test. */
export const browser = () => {
  let running: Browser | undefined
  beforeAll(async () => {
    if (noBrowser) return
    if (found === undefined) throw new Error("CI without chromium: .ci/run installs it")
    // no sandbox: root cannot have it, and nothing is loaded but what the tests serve; a container has little of /dev/shm
    running = await chromium.launch({ executablePath: found, args: ["--no-sandbox", "--disable-dev-shm-usage"] })
  })
  afterAll(() => running?.close())
  return async (url: string): Promise<Visit> => {
    if (running === undefined) throw new Error("no browser")
    const context = await running.newContext({ viewport: { width: 1600, height: 900 } })
    onTestFinished(() => context.close())
    const page = await context.newPage()
    // as long as a test may take: the machine may be busy
    page.setDefaultTimeout(100_000)
    const loaded: Array<string> = []
    page.on("request", request => loaded.push(request.url()))
    await page.goto(url)
    return { page, loaded }
  }
}
