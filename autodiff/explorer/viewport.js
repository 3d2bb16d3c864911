// Pan and zoom. The picture is scaled by a transform of its canvas; how much is written on the
// boxes follows from the scale.

const largestScale = 3;
const margin = 34;

class Viewport {
  constructor(picture, canvas, changed) {
    Object.assign(this, { picture, canvas, changed, x: 0, y: 0, scale: 1, width: 1, height: 1 });
    this.pointers = new Map();
    picture.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    picture.addEventListener("pointerdown", (event) => this.press(event));
    picture.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) {
      window.addEventListener(end, (event) => this.release(event));
    }
    new ResizeObserver(() => this.resized()).observe(picture);
  }

  get area() { return this.picture.getBoundingClientRect(); }

  /** Shows a picture of this size as large as it fits, but letters no larger than the page's. */
  fit(width = this.width, height = this.height) {
    Object.assign(this, { width, height, fitted: true });
    const { width: w, height: h } = this.area;
    if (w === 0) return;
    this.scale = Math.min((w - 2 * margin) / width, (h - 2 * margin) / height, 1.15);
    this.scale = Math.max(this.scale, this.smallest);
    this.x = (w - width * this.scale) / 2;
    this.y = (h - height * this.scale) / 2;
    this.apply();
  }

  /** A picture that only fits with letters too small to read is shown at this box instead. */
  start(width, height, box) {
    this.fit(width, height);
    if (this.scale < 0.6 && box) this.centre(box, 0.85, 0.8);
  }

  /** Long chains would shrink to a line: then the output's end is shown, where the sweep begins. */
  get smallest() { return Math.min(1, Math.max(0.02, 40 / this.height)); }

  resized() {
    if (this.fitted) this.fit();
  }

  zoom(by, at = { x: this.area.width / 2, y: this.area.height / 2 }) {
    const scale = Math.min(largestScale, Math.max(this.smallest / 2, this.scale * by));
    this.x = at.x - ((at.x - this.x) * scale) / this.scale;
    this.y = at.y - ((at.y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.moved();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.moved();
  }

  moved() {
    this.fitted = false;
    const { width, height } = this.area;
    const keep = 40;  // so much of the picture stays in sight
    this.x = Math.min(width - keep, Math.max(keep - this.width * this.scale, this.x));
    this.y = Math.min(height - keep, Math.max(keep - this.height * this.scale, this.y));
    this.apply();
  }

  apply() {
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      this.canvas.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
      const detail = this.scale < 0.42 ? "titles" : "all";
      if (this.picture.dataset.detail !== detail) this.picture.dataset.detail = detail;
      this.changed();
    });
  }

  /** The part of the picture that can be seen. */
  get inSight() {
    const { width, height } = this.area;
    return { x: -this.x / this.scale, y: -this.y / this.scale,
      w: width / this.scale, h: height / this.scale };
  }

  get isWhole() {
    const { x, y, w, h } = this.inSight;
    return x <= 0 && y <= 0 && x + w >= this.width && y + h >= this.height;
  }

  /** Where in the picture an event happened. */
  pictureAt(event) {
    const { left, top } = this.area;
    return { x: (event.clientX - left - this.x) / this.scale,
      y: (event.clientY - top - this.y) / this.scale };
  }

  onScreen(box) {
    return { x: this.x + box.x * this.scale, y: this.y + box.y * this.scale,
      w: box.w * this.scale, h: box.h * this.scale };
  }

  /** Brings a box into the middle, or to another part of the width. */
  centre(box, leastScale = 0, part = 0.5) {
    this.scale = Math.max(this.scale, leastScale);
    const { width, height } = this.area;
    this.x = width * part - (box.x + box.w / 2) * this.scale;
    this.y = height / 2 - (box.y + box.h / 2) * this.scale;
    this.glide();
    this.moved();
  }

  /** The next change is a short movement that the eye can follow; a jump where none is wanted. */
  glide() {
    this.canvas.classList.add("gliding");
    clearTimeout(this.gliding);
    this.gliding = setTimeout(() => this.canvas.classList.remove("gliding"), 300);
  }

  reveal(box) {
    const { x, y, w, h } = this.onScreen(box);
    const { width, height } = this.area;
    const near = 24;
    if (x < near || y < near || x + w > width - near || y + h > height - near) this.centre(box);
  }

  wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    const { left, top } = this.area;
    const by = Math.exp(Math.max(-1, Math.min(1, -event.deltaY * lines * 0.0022)));
    this.zoom(by, { x: event.clientX - left, y: event.clientY - top });
  }

  press(event) {
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.canvas.classList.remove("gliding");
    this.travelled = 0;
  }

  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    if (this.pointers.size === 2) this.pinch(event.pointerId, before, now);
    else this.pan(now.x - before.x, now.y - before.y);
    this.travelled += Math.hypot(now.x - before.x, now.y - before.y);
    this.pointers.set(event.pointerId, now);
    this.picture.classList.toggle("dragging", this.dragged);
  }

  pinch(id, before, now) {
    const [, other] = [...this.pointers].find(([key]) => key !== id);
    const { left, top } = this.area;
    const middle = { x: (now.x + other.x) / 2 - left, y: (now.y + other.y) / 2 - top };
    const apart = (p) => Math.max(1, Math.hypot(p.x - other.x, p.y - other.y));
    this.zoom(apart(now) / apart(before), middle);
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    this.picture.classList.remove("dragging");
  }

  /** Whether the press that just ended moved the picture and was no click. */
  get dragged() { return this.travelled > 6; }
}
