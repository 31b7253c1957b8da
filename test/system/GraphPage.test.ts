/** The page of the built `bd graph` in a browser, by mouse and keys. */
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, expect, it } from "vitest"
import { bd, ok, repository } from "./bd.ts"
import { browser, noBrowser } from "./front-ends/browser.ts"

const hostile = "</script><script>document.title = 'bad'</script><img src=x onerror=\"document.title = 'worse'\">"

describe.skipIf(noBrowser)("the page of bd graph", () => {
  const visit = browser()

  /** A chain of three: the second waits for the first, the third for the second. */
  const page = async (fragment = "") => {
    const project = await repository()
    ok(await bd(project, "create", "First", "--id", "t-first", "-d", hostile))
    ok(await bd(project, "create", hostile, "--id", "t-second", "--blocked-by", "t-first"))
    ok(await bd(project, "create", "Third", "--id", "t-third", "--blocked-by", "t-second"))
    ok(await bd(project, "graph", "-o", "page.html"))
    const { href } = pathToFileURL(join(project.directory, "page.html"))
    const visited = await visit(`${href}${fragment}`)
    const card = (title: string) => visited.page.locator("main > svg .card", { hasText: title })
    return { ...visited, href, card, aside: visited.page.locator("aside") }
  }

  it("G33: its script runs, nothing of a title does, and nothing else is loaded", async () => {
    const { aside, card, href, loaded, page: shown } = await page("#t-second")
    expect(await shown.title()).toMatch(/^Dependency graph of s-\w+$/)
    expect(await shown.locator("img").count()).toBe(0)
    expect(await shown.locator("script").count()).toBe(2)
    expect(loaded).toEqual([href])
    // the issue that the address names is explained, and what comes before and after it is marked
    expect(await aside.textContent()).toMatch(
      /t-second.*Waits for.*t-first: First.*What waits for it.*t-third: Third/is
    )
    const classes = (title: string) => card(title).getAttribute("class")
    expect(await classes("t-second")).toBe("card waiting self")
    expect(await classes("t-first")).toBe("card ready before")
    expect(await classes("t-third")).toBe("card waiting after")
  })

  it("a click explains an issue, a link in it leads to the next, Escape lets go", async () => {
    const { aside, card, page: shown } = await page()
    expect(await aside.isHidden()).toBe(true)
    await card("t-first").hover()
    expect(await card("t-third").getAttribute("class")).toContain("after")
    await card("t-first").click()
    await aside.locator("p", { hasText: "onerror" }).waitFor()
    await aside.getByRole("button", { name: /^t-second/ }).click()
    await aside.getByRole("button", { name: "t-third: Third" }).waitFor()
    expect(new URL(shown.url()).hash).toBe("#t-second")
    // what lies under the mouse is marked as well
    await shown.mouse.move(5, 700)
    await shown.keyboard.press("Escape")
    await aside.waitFor({ state: "hidden" })
    expect(await shown.locator("main > svg").locator(".self, .before, .after").count()).toBe(0)
  })

  it("the search marks what is found; wheel, hand and keys move the picture", async () => {
    const { card, page: shown } = await page()
    await shown.keyboard.press("/")
    await shown.getByLabel("Search").pressSequentially("third")
    await shown.getByText("1 found").waitFor()
    expect(await shown.locator(".card.found").count()).toBe(1)
    expect(await card("t-third").getAttribute("class")).toContain("found")
    await shown.keyboard.press("Escape")
    const view = async () => (await shown.locator("main > svg").getAttribute("viewBox"))?.split(" ").map(Number) ?? []
    const before = await view()
    await shown.mouse.move(800, 600)
    await shown.mouse.wheel(0, -400)
    await expect.poll(async () => (await view())[2]).toBeLessThan(before[2] ?? 0)
    const nearer = await view()
    await shown.mouse.down()
    await shown.mouse.move(700, 600, { steps: 5 })
    await shown.mouse.up()
    await expect.poll(async () => (await view())[0]).toBeGreaterThan(nearer[0] ?? Number.POSITIVE_INFINITY)
    expect(await shown.locator("aside").isHidden()).toBe(true)
    await shown.getByRole("button", { name: "Fit" }).click()
    await expect.poll(async () => (await view())[2]).toBeGreaterThanOrEqual(before[2] ?? 0)
  })
})
