/** beads-ui on this `bd` as a person uses it: its pages in a real browser. */
import { describe, expect, it, vi } from "vitest"
import { bd, ok } from "../bd.ts"
import { beadsUi, lineOf, type UiIssue } from "./beadsUi.ts"
import { browser, noBrowser } from "./browser.ts"

const hostile = '<img src=x onerror="document.title = 1">'

describe.skipIf(noBrowser)("beads-ui in a browser", () => {
  const visit = browser()

  it("the board shows what another shell creates by itself, and what its dialog creates", async () => {
    const { repository, url } = await beadsUi()
    const { loaded, page } = await visit(`${url}/#/board`)
    const ready = page.locator("#ready-col .board-card__title")
    await page.locator("#ready-col").waitFor()
    // first: in the second after a change of its own beads-ui does not look
    ok(await bd(repository, "create", "From another shell"))
    await ready.getByText("From another shell", { exact: true }).waitFor()

    await page.getByRole("button", { name: "New issue" }).click()
    await page.getByLabel("Title").fill(hostile)
    await page.getByLabel("Issue type", { exact: true }).selectOption("bug")
    await page.getByRole("combobox", { name: "Priority" }).selectOption("0")
    await page.getByLabel("Description").fill("About it, with <script>document.title = 2</script>")
    await page.getByRole("button", { name: "Create" }).click()
    const made = ready.getByText(hostile, { exact: true })
    await made.waitFor()
    expect(await ready.allInnerTexts()).toEqual([hostile, "From another shell"])
    const issues = JSON.parse(ok(await bd(repository, "list", "--json")).stdout) as ReadonlyArray<UiIssue>
    const issue = issues.find(({ title }) => title === hostile)
    expect(issue).toMatchObject({ issue_type: "bug", priority: 0, description: expect.stringContaining("<script>") })
    expect(lineOf(repository, issue?.id ?? "")).toMatchObject({ title: hostile })

    // what is text stays text
    await made.click()
    await page.getByRole("button", { name: "Edit title" }).getByText(hostile, { exact: true }).waitFor()
    await page.getByText("About it, with").waitFor()
    expect(await page.locator("img").count()).toBe(0)
    expect(await page.title()).toBe("Beads")
    // and nothing comes from elsewhere
    expect(loaded.filter(address => !address.startsWith(url))).toEqual([])
  })

  it("each issue is in its column, and an epic with its children", async () => {
    const { repository, url } = await beadsUi(["One that waits", "Begun", "Done"])
    const list = JSON.parse(ok(await bd(repository, "list", "--json")).stdout) as ReadonlyArray<UiIssue>
    const [waits = "", begun = "", done = ""] = ["One that waits", "Begun", "Done"].map(
      title => list.find(issue => issue.title === title)?.id
    )
    ok(await bd(repository, "dep", "add", waits, begun))
    ok(await bd(repository, "update", begun, "--status", "in_progress"))
    ok(await bd(repository, "close", done))
    ok(await bd(repository, "create", "An epic", "-t", "epic", "--id", "t-epic"))
    ok(await bd(repository, "create", "A child", "--parent", "t-epic"))
    const { page } = await visit(`${url}/#/board`)
    const column = async (id: string, count: number) => {
      const cards = page.locator(`#${id} .board-card__title`)
      await cards.nth(count - 1).waitFor()
      return (await cards.allInnerTexts()).sort()
    }
    expect(await column("blocked-col", 1)).toEqual(["One that waits"])
    expect(await column("ready-col", 2)).toEqual(["A child", "An epic"])
    expect(await column("in-progress-col", 1)).toEqual(["Begun"])
    expect(await column("closed-col", 1)).toEqual(["Done"])

    await page.getByRole("link", { name: "Epics" }).click()
    const epic = page.locator(".epic-group", { hasText: "An epic" })
    await epic.getByText("0/1").waitFor()
    await epic.getByText("A child", { exact: true }).waitFor()
  })

  it("G11: what is edited and deleted in the detail view is on disk", async () => {
    const { repository, url } = await beadsUi(["To be edited", "It stays"])
    const list = JSON.parse(ok(await bd(repository, "list", "--json")).stdout) as ReadonlyArray<UiIssue>
    const id = list.find(({ title }) => title === "To be edited")?.id ?? ""
    const { page } = await visit(`${url}/#/board`)
    await page.getByText("To be edited").click()
    await page.getByRole("button", { name: "Edit title" }).click()
    await page.getByRole("textbox", { name: "Edit title" }).fill("- Edited: 100 %")
    await page.keyboard.press("Enter")
    // it shows nothing until it is pushed what it has saved
    await page.getByRole("button", { name: "Edit title" }).getByText("- Edited: 100 %", { exact: true }).waitFor()
    expect(lineOf(repository, id)).toMatchObject({ title: "- Edited: 100 %" })

    await page.getByPlaceholder("Add a comment").fill("- seen\n- mended")
    await page.getByRole("button", { name: "Add Comment" }).click()
    await page.locator(".comment-text").getByText("- mended").waitFor()
    expect(lineOf(repository, id)["comments"]).toMatchObject([{ text: "- seen\n- mended" }])

    await page.getByRole("button", { name: "Delete issue" }).click()
    await page.locator("#delete-confirm-btn").click()
    await vi.waitUntil(() => lineOf(repository, id).status === "tombstone", { timeout: 30_000, interval: 20 })
    // anew, since beads-ui may be reading for an earlier change and then drops this one
    await page.reload()
    const ready = page.locator("#ready-col .board-card__title")
    await ready.first().waitFor()
    expect(await ready.allInnerTexts()).toEqual(["It stays"])
  })
})
