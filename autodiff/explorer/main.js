// The page: one state, changed by buttons and keys, shown by everything else.

class Explorer {
  constructor(graph, layout) {
    this.sweep = new Sweep(graph);
    this.layout = layout;
    this.pinned = null;
    this.drawing = new Drawing(this.sweep, layout, (box, how) => this.chosen(box, how));
    this.overview = new Overview(byId("overview"), this.drawing);
    const follow = (node) => this.goTo(node);
    this.table = new NodeTable(this.sweep, byId("table-view"), follow);
    this.layers = new LayerTable(this.sweep, byId("layers-view"), follow);
    this.search = new Search(this.sweep, follow);
    byId("slider").max = this.sweep.end;
    byId("tab-layers").hidden = !this.layers.any;
    byId("summary").textContent = this.summary();
    this.wire();
    this.showTrail();
    this.show("graph");
    this.stepTo(0);
  }

  summary() {
    const { nodes, edges } = this.sweep.graph;
    const output = this.sweep.output;
    const name = isNamed(output) ? `${titleOf(output)} =` : "value";
    return `${name} ${described(output.value)}; ${nodes.length} nodes, ` +
      `${edges.length} edges, ${this.sweep.records.length} records`;
  }

  stepTo(position) {
    const before = this.sweep.inHand;
    const touched = this.sweep.moveTo(position);
    if (before) touched.add(before);
    this.drawing.refresh([...touched]);
    this.overview.render();
    this.table.render();
    this.layers.render();
    this.showPosition();
    this.showPanel();
    this.keepInSight();
    if (this.sweep.position === this.sweep.end) this.pause();
  }

  showPosition() {
    const { position, end, records } = this.sweep;
    const sentence = stepSentence(this.sweep);
    byId("step-line").textContent = sentence;
    byId("slider").value = position;
    byId("slider").setAttribute("aria-valuetext", `${position} of ${end}: ${sentence}`);
    byId("counter").textContent = position === 0 ? "start"
      : position === end ? "end" : `record ${position} of ${records.length}`;
    byId("first").disabled = byId("back").disabled = position === 0;
    byId("last").disabled = byId("forth").disabled = position === end;
  }

  showPanel() {
    const node = this.pinned ?? this.sweep.inHand ?? this.sweep.output;
    byId("panel").replaceChildren(...panelElements(this.sweep, node, this.pinned !== null, {
      follow: (other) => this.goTo(other),
      unpin: () => this.pin(null),
    }).filter((element) => element !== ""));
  }

  keepInSight() {
    const record = this.sweep.inHand;
    if (!record || byId("graph-view").hidden) return;
    // Inside a group, the sweep leads on into the next one; from further out it is watched.
    if (this.drawing.isOutside(record)) this.open(this.drawing.groupOf.get(record.id));
    const box = this.drawing.boxFor(record);
    if (box) this.drawing.reveal(box);
  }

  pin(node) {
    this.pinned = node;
    this.drawing.markPinned(node);
    this.showPanel();
  }

  /** Shows a node wherever it is, and pins it. */
  goTo(node) {
    this.show("graph");
    if (!this.drawing.boxOfNode.has(node.id)) this.open(this.drawing.groupOf.get(node.id) ?? 0);
    this.pin(node);
    const box = this.drawing.boxFor(node);
    this.drawing.centre(box);
    this.focusBox(box);
  }

  focusBox(box) {
    this.drawing.setEntry(box);
    box.element.focus({ preventScroll: true });
  }

  open(group) {
    this.hideCard();
    this.drawing.open(group);
    this.drawing.markPinned(this.pinned);
    this.showTrail();
  }

  leaveGroup() {
    const { parent } = this.layout.groups[this.drawing.group];
    if (parent >= 0) this.open(parent);
  }

  /** Where we are among the groups, each a way back. */
  showTrail() {
    const steps = [];
    for (let g = this.drawing.group; g >= 0; g = this.layout.groups[g].parent) steps.unshift(g);
    byId("trail").hidden = this.layout.groups.length === 1;
    byId("trail").replaceChildren(...steps.map((g) => {
      const here = g === this.drawing.group;
      const name = g === 0 ? "Whole graph" : this.layout.groups[g].name;
      const button = html("button", { type: "button", class: "link",
        "aria-current": here ? "location" : null }, name);
      button.addEventListener("click", () => this.open(g));
      return html("li", {}, button);
    }));
  }

  chosen(box, how) {
    if (how === "leave") this.hideCard();
    else if (how === "pick") this.picked(box);
    else if (box.node !== undefined && !this.drawing.viewport.pointers.size) this.showCard(box);
  }

  picked(box) {
    if (this.drawing.viewport.dragged) return;
    if (box.node === undefined) {
      this.open(box.group);
      this.focusBox(this.drawing.entry);
      return;
    }
    this.drawing.setEntry(box);
    this.pin(this.sweep.nodes.get(box.node));
  }

  /** A painted box is no element: a click goes near it, where it is one. */
  pickedFromFar(event) {
    const { viewport } = this.drawing;
    if (!this.drawing.isFar || viewport.dragged) return;
    const box = this.drawing.boxAt(viewport.pictureAt(event));
    if (!box) return;
    this.drawing.centre(box);
    this.picked(box);
  }

  showCard(box) {
    const card = byId("card");
    card.replaceChildren(...cardElements(this.sweep, this.sweep.nodes.get(box.node))
      .filter((element) => element !== ""));
    card.hidden = false;
    placeCard(card, this.drawing.viewport.area, this.drawing.viewport.onScreen(box));
  }

  hideCard() { byId("card").hidden = true; }

  show(view) {
    for (const name of ["graph", "table", "layers"]) {
      const chosen = name === view;
      byId(`${name}-view`).hidden = !chosen;
      byId(`tab-${name}`).setAttribute("aria-selected", String(chosen));
      byId(`tab-${name}`).tabIndex = chosen ? 0 : -1;
    }
    document.body.dataset.view = view;
    this.table.render();
    this.layers.render();
  }

  play() {
    if (this.sweep.position === this.sweep.end) this.stepTo(0);
    this.playing = true;
    this.showPlaying();
    const next = () => {
      if (!this.playing) return;
      this.stepTo(this.sweep.position + 1);
      if (this.playing) this.timer = setTimeout(next, Number(byId("pace").value));
    };
    this.timer = setTimeout(next, 150);
  }

  pause() {
    this.playing = false;
    clearTimeout(this.timer);
    this.showPlaying();
  }

  showPlaying() {
    byId("play").textContent = this.playing ? "Pause" : "Play";
    byId("play").setAttribute("aria-pressed", String(Boolean(this.playing)));
    // Read aloud when one steps by hand; a sentence per frame would drown everything else.
    byId("step-line").setAttribute("aria-live", this.playing ? "off" : "polite");
  }

  toggle() { this.playing ? this.pause() : this.play(); }

  by(change) {
    this.pause();
    this.stepTo(this.sweep.position + change);
  }

  wire() {
    const on = (id, action) => byId(id).addEventListener("click", action);
    on("first", () => this.by(-this.sweep.end));
    on("back", () => this.by(-1));
    on("play", () => this.toggle());
    on("forth", () => this.by(1));
    on("last", () => this.by(this.sweep.end));
    on("zoom-in", () => this.drawing.viewport.zoom(1.3));
    on("zoom-out", () => this.drawing.viewport.zoom(1 / 1.3));
    on("fit", () => this.drawing.viewport.fit());
    on("help-button", () => byId("help").showModal());
    byId("slider").addEventListener("input", () => this.slide());
    byId("picture").addEventListener("click", (event) => this.pickedFromFar(event));
    wireTabs((view) => this.show(view));
    wireTheme(byId("theme"), () => this.drawing.moved());
    document.addEventListener("keydown", (event) => keyPressed(this, event));
  }

  /** A slider reports faster than a picture can follow. */
  slide() {
    this.pause();
    this.sliding ??= requestAnimationFrame(() => {
      this.sliding = null;
      this.stepTo(Number(byId("slider").value));
    });
  }
}

window.explorer = new Explorer(JSON.parse(byId("graph-data").textContent),
  JSON.parse(byId("layout-data").textContent));
