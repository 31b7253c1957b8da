// Moves, searches and explains the picture. Without it the picture stands as it is.
;(() => {
  const data = JSON.parse(document.getElementById("data").textContent)
  const issues = new Map(data.issues.map(issue => [issue.id, issue]))
  const svg = document.querySelector("main > svg")
  if (!svg) return
  const main = document.querySelector("main")
  const aside = document.querySelector("aside")
  const search = document.getElementById("search")
  const count = document.getElementById("count")
  const cards = new Map([...svg.querySelectorAll(".card")].map((card, i) => [data.issues[i].id, card]))
  const edges = [...svg.querySelectorAll(".edge")].map((path, i) => ({ path, ...data.edges[i] }))
  document.body.classList.add("live")

  // --- the view ------------------------------------------------------------------------------------------------------
  const whole = svg.viewBox.baseVal
  const full = { x: whole.x, y: whole.y, width: whole.width, height: whole.height }
  const view = { x: 0, y: 0, scale: 1 }
  svg.removeAttribute("width")
  svg.removeAttribute("height")
  const show = () => {
    const { height, width } = main.getBoundingClientRect()
    svg.setAttribute("viewBox", `${view.x} ${view.y} ${width / view.scale} ${height / view.scale}`)
  }
  const clamp = scale => Math.min(3, Math.max(0.03, scale))
  const zoom = (factor, at) => {
    const box = main.getBoundingClientRect()
    const [x, y] = at ? [at.x - box.left, at.y - box.top] : [box.width / 2, box.height / 2]
    const scale = clamp(view.scale * factor)
    view.x += x / view.scale - x / scale
    view.y += y / view.scale - y / scale
    view.scale = scale
    show()
  }
  /** All of it; but at first not so small that nothing can be read. */
  const fitAll = least => {
    const { height, width } = main.getBoundingClientRect()
    const scale = Math.min(1, width / full.width, height / full.height)
    view.scale = clamp(Math.max(scale, least))
    const spare = (room, size) => Math.max(0, (room / view.scale - size) / 2)
    view.x = full.x - spare(width, full.width)
    view.y = full.y - Math.min(spare(height, full.height), 30)
    show()
  }
  const center = id => {
    const card = cards.get(id)
    if (!card) return
    const { x, y, width, height } = card.getBBox()
    const [, left, top] = /translate\(([-\d.]+)[ ,]([-\d.]+)\)/.exec(card.getAttribute("transform"))
    const room = main.getBoundingClientRect()
    view.scale = Math.max(view.scale, 0.75)
    view.x = Number(left) + x + width / 2 - room.width / view.scale / 2
    view.y = Number(top) + y + height / 2 - room.height / view.scale / 2
    show()
  }

  // --- what comes before an issue, and after it ----------------------------------------------------------------------
  const holds = ({ type }) => type === "blocks" || type === "parent-child"
  const way = (id, from, to) => {
    const cardsOf = new Set([id])
    const paths = new Set()
    for (const at of cardsOf) {
      for (const edge of edges) {
        if (edge[from] !== at || !(holds(edge) || at === id)) continue
        paths.add(edge.path)
        cardsOf.add(edge[to])
      }
    }
    cardsOf.delete(id)
    return { cards: cardsOf, paths }
  }
  let selected
  const highlight = id => {
    for (const element of svg.querySelectorAll(".self, .before, .after")) {
      element.classList.remove("self", "before", "after")
    }
    svg.classList.toggle("focus", id !== undefined)
    if (id === undefined) return
    cards.get(id)?.classList.add("self")
    for (const [name, { cards: ids, paths }] of [
      ["after", way(id, "from", "to")],
      ["before", way(id, "to", "from")]
    ]) {
      for (const other of ids) cards.get(other)?.classList.add(name)
      for (const path of paths) path.classList.add(name)
    }
  }

  // --- the text of an issue ------------------------------------------------------------------------------------------
  const element = (name, text, className) => {
    const made = document.createElement(name)
    if (text !== undefined) made.textContent = text
    if (className) made.className = className
    return made
  }
  const link = (id, className) => {
    const issue = issues.get(id)
    const button = element(
      "button",
      issue ? `${id}: ${issue.title} (${issue.word})` : `${id} (not shown)`,
      `link ${className}`
    )
    if (issue) button.addEventListener("click", () => select(id, true))
    else button.disabled = true
    return button
  }
  const section = (title, parts) => (parts.length === 0 ? [] : [element("h3", title), ...parts])
  const explain = issue => {
    const close = element("button", "×", "close")
    close.title = "Close (Esc)"
    close.addEventListener("click", () => select(undefined))
    const linked = (from, to, type, className) =>
      edges.filter(edge => edge[from] === issue.id && type(edge.type)).map(edge => link(edge[to], className))
    const is = type => other => other === type
    const known = new Set(["blocks", "parent-child"])
    const direct = edges.filter(({ to, type }) => to === issue.id && type === "blocks").map(({ from }) => from)
    const waits = new Set(issue.waitsFor)
    // a blocker that is closed holds nothing up any more
    const over = direct.filter(id => !waits.has(id))
    aside.replaceChildren(
      close,
      element("div", `${issue.id} · ${issue.word}`, "facts"),
      element("h2", issue.title),
      element("div", issue.facts, "facts"),
      ...section(
        "Waits for",
        [...waits].map(id => link(id, "before"))
      ),
      ...section(
        "Waits no longer for",
        over.map(id => link(id, "before"))
      ),
      ...section("What waits for it", linked("from", "to", is("blocks"), "after")),
      ...section("Parent", linked("to", "from", is("parent-child"), "before")),
      ...section("Children", linked("from", "to", is("parent-child"), "after")),
      ...section("Other links", [
        ...linked("to", "from", type => !known.has(type), "before"),
        ...linked("from", "to", type => !known.has(type), "after")
      ]),
      ...issue.texts.flatMap(([title, text]) => section(title, [element("p", text)]))
    )
    aside.scrollTop = 0
  }
  const select = (id, move) => {
    selected = issues.has(id) ? id : undefined
    aside.hidden = selected === undefined
    if (selected !== undefined) explain(issues.get(selected))
    highlight(selected)
    history.replaceState(null, "", selected === undefined ? "#" : `#${encodeURIComponent(selected)}`)
    if (move) center(selected)
    else show()
  }

  // --- searching -----------------------------------------------------------------------------------------------------
  let found = []
  let shown = -1
  const find = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean)
    found = words.length === 0 ? [] : data.issues.filter(({ search: text }) => words.every(word => text.includes(word)))
    shown = -1
    svg.classList.toggle("searching", words.length > 0)
    for (const card of cards.values()) card.classList.remove("found")
    for (const { id } of found) cards.get(id).classList.add("found")
    count.textContent = words.length === 0 ? "" : `${found.length} found`
  }
  search.addEventListener("input", find)
  search.addEventListener("keydown", event => {
    if (event.key !== "Enter" || found.length === 0) return
    shown = (shown + (event.shiftKey ? found.length - 1 : 1)) % found.length
    count.textContent = `${shown + 1} of ${found.length}`
    center(found[shown].id)
  })

  // --- hands ---------------------------------------------------------------------------------------------------------
  for (const [id, card] of cards) {
    card.addEventListener("mouseenter", () => selected === undefined && highlight(id))
    card.addEventListener("mouseleave", () => selected === undefined && highlight(undefined))
    card.addEventListener("keydown", event => {
      if (event.key !== "Enter" && event.key !== " ") return
      event.preventDefault()
      select(id)
    })
    card.setAttribute("tabindex", "0")
    card.setAttribute("role", "button")
  }
  main.addEventListener(
    "wheel",
    event => {
      event.preventDefault()
      zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0015)), { x: event.clientX, y: event.clientY })
    },
    { passive: false }
  )
  const pointers = new Map()
  let moved = 0
  main.addEventListener("pointerdown", event => {
    if (event.button !== 0) return
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    moved = 0
  })
  addEventListener("pointermove", event => {
    const last = pointers.get(event.pointerId)
    if (!last) return
    const now = { x: event.clientX, y: event.clientY }
    if (pointers.size === 2) {
      const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point)
      const reach = point => Math.hypot(point.x - other.x, point.y - other.y)
      zoom(reach(now) / Math.max(1, reach(last)), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 })
    } else {
      view.x -= (now.x - last.x) / view.scale
      view.y -= (now.y - last.y) / view.scale
      show()
    }
    moved += Math.hypot(now.x - last.x, now.y - last.y)
    if (moved > 4) main.classList.add("moving")
    pointers.set(event.pointerId, now)
  })
  for (const end of ["pointerup", "pointercancel"]) {
    addEventListener(end, event => {
      pointers.delete(event.pointerId)
      main.classList.remove("moving")
    })
  }
  main.addEventListener("click", event => {
    // a hand that has moved the picture means no card
    if (moved > 4) return
    const card = event.target.closest(".card")
    const id = [...cards].find(([, other]) => other === card)?.[0]
    select(id === selected ? undefined : id)
  })
  document.getElementById("in").addEventListener("click", () => zoom(1.3))
  document.getElementById("out").addEventListener("click", () => zoom(1 / 1.3))
  document.getElementById("fit").addEventListener("click", () => fitAll(0))
  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === "Escape") {
      search.value = ""
      search.blur()
      find()
      select(undefined)
      return
    }
    if (event.target === search) return
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
    const step = steps[event.key]
    if (step) {
      view.x += (step[0] * 80) / view.scale
      view.y += (step[1] * 80) / view.scale
      show()
    } else if (event.key === "/") {
      event.preventDefault()
      search.focus()
    } else if (event.key === "+" || event.key === "=") zoom(1.3)
    else if (event.key === "-") zoom(1 / 1.3)
    else if (event.key === "0") fitAll(0)
  })
  addEventListener("resize", show)
  const wanted = () => {
    try {
      return decodeURIComponent(location.hash.slice(1))
    } catch {
      return ""
    }
  }
  fitAll(0.6)
  if (wanted() !== "") select(wanted(), true)
  else if (data.roots.length === 1) select(data.roots[0], true)
  addEventListener("hashchange", () => wanted() !== (selected ?? "") && select(wanted(), true))
})()
