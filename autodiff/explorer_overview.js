// The whole picture, small, while only a part of it is in sight; a press on it goes there.

const overviewSize = { w: 190, h: 96 };

class Overview {
  constructor(canvas, drawing) {
    Object.assign(this, { canvas, drawing, viewport: drawing.viewport });
    const density = window.devicePixelRatio || 1;
    canvas.width = overviewSize.w * density;
    canvas.height = overviewSize.h * density;
    this.pen = canvas.getContext("2d");
    this.pen.scale(density, density);
    for (const event of ["pointerdown", "pointermove"]) {
      canvas.addEventListener(event, (e) => e.buttons && this.goTo(e));
    }
    this.viewport.onchange = () => this.render();
    this.render();
  }

  get scale() {
    const { width, height } = this.viewport;
    return Math.min((overviewSize.w - 12) / width, (overviewSize.h - 12) / height);
  }

  /** Where the picture lies on the canvas. */
  get origin() {
    const { width, height } = this.viewport;
    return { x: (overviewSize.w - width * this.scale) / 2, y: (overviewSize.h - height * this.scale) / 2 };
  }

  render() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.canvas.hidden = this.viewport.isWhole;
      if (!this.canvas.hidden) this.draw();
    });
  }

  draw() {
    const style = getComputedStyle(document.documentElement);
    const ink = (name) => style.getPropertyValue(name);
    const { pen, scale } = this;
    const { x, y } = this.origin;
    pen.clearRect(0, 0, overviewSize.w, overviewSize.h);
    const inks = { waiting: ink("--line"), growing: ink("--flow"), complete: ink("--adjoint") };
    for (const box of this.drawing.view.boxes) {
      pen.fillStyle = inks[box.element.dataset.state] ?? inks.waiting;
      pen.fillRect(x + box.x * scale, y + box.y * scale,
        Math.max(box.w * scale, 1.5), Math.max(box.h * scale, 1.5));
    }
    const seen = this.viewport.inSight;
    pen.strokeStyle = ink("--value");
    pen.lineWidth = 2;
    pen.strokeRect(x + seen.x * scale, y + seen.y * scale, seen.w * scale, seen.h * scale);
  }

  goTo(event) {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    const shown = width / overviewSize.w;  // smaller on narrow screens
    this.viewport.centre({ x: ((event.clientX - left) / shown - this.origin.x) / this.scale,
      y: ((event.clientY - top) / shown - this.origin.y) / this.scale, w: 0, h: 0 });
  }
}
