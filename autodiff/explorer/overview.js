// The whole picture, small, while only a part of it is in sight; a press on it goes there.

const overviewSize = { w: 190, h: 96 };

class Overview {
  constructor(canvas, drawing) {
    Object.assign(this, { canvas, drawing, viewport: drawing.viewport });
    for (const event of ["pointerdown", "pointermove"]) {
      canvas.addEventListener(event, (e) => e.buttons && this.goTo(e));
    }
    drawing.onmove = () => this.render();
    this.render();
  }

  get scale() {
    const { width, height } = this.viewport;
    return Math.min((overviewSize.w - 12) / width, (overviewSize.h - 12) / height);
  }

  /** Where the picture lies on the canvas. */
  get origin() {
    const { width, height } = this.viewport;
    return { x: (overviewSize.w - width * this.scale) / 2,
      y: (overviewSize.h - height * this.scale) / 2 };
  }

  render() {
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      this.canvas.hidden = this.viewport.isWhole;
      if (!this.canvas.hidden) this.paint();
    });
  }

  paint() {
    const ink = inksOfPage();
    const pen = sizedPen(this.canvas, overviewSize.w, overviewSize.h);
    const pixel = 1 / this.scale;
    pen.translate(this.origin.x, this.origin.y);
    pen.scale(this.scale, this.scale);
    pen.lineWidth = 0.7 * pixel;
    paintBoxes(pen, this.drawing.view.boxes, ink, pixel);
    const { x, y, w, h } = this.viewport.inSight;
    pen.strokeStyle = ink("value");
    pen.lineWidth = 2 * pixel;
    pen.strokeRect(x, y, w, h);
  }

  goTo(event) {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    const shown = width / overviewSize.w;  // smaller on narrow screens
    this.viewport.centre({ x: ((event.clientX - left) / shown - this.origin.x) / this.scale,
      y: ((event.clientY - top) / shown - this.origin.y) / this.scale, w: 0, h: 0 });
  }
}
