// Pictures without texts, painted on a canvas: the graph from far away, and the overview in the
// corner.

/** Colours of the page by their names in the style sheet. */
function inksOfPage() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`);
}

/** A canvas in pixels of the screen that is measured in pixels of the page. */
function sizedPen(canvas, width, height) {
  const density = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * density), Math.round(height * density)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const pen = canvas.getContext("2d");
  pen.setTransform(density, 0, 0, density, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/** Boxes by their states: hollow, striped and full, so that colour is not the only sign. */
function paintBoxes(pen, boxes, ink, least) {
  const fills = { waiting: ink("rule"), growing: ink("growing"), complete: ink("adjoint") };
  const edges = { waiting: ink("line"), growing: ink("flow"), complete: ink("adjoint") };
  for (const state of Object.keys(fills)) {
    pen.beginPath();
    for (const box of boxes) {
      if (box.state !== state) continue;
      pen.rect(box.x, box.y, Math.max(box.w, least), Math.max(box.h, least));
    }
    pen.fillStyle = fills[state];
    pen.strokeStyle = edges[state];
    pen.fill();
    pen.stroke();
  }
}

class FarPicture {
  constructor(canvas, drawing) {
    Object.assign(this, { canvas, drawing });
  }

  render() {
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      this.canvas.hidden = !this.drawing.isFar;
      if (!this.canvas.hidden) this.paint();
    });
  }

  paint() {
    const { viewport, view, hand, flowing } = this.drawing;
    const { width, height } = viewport.area;
    const ink = inksOfPage();
    const pen = sizedPen(this.canvas, width, height);
    pen.translate(viewport.x, viewport.y);
    pen.scale(viewport.scale, viewport.scale);
    const pixel = 1 / viewport.scale;
    const seen = viewport.inSight;
    const lines = view.lines.filter((line) => overlap(seen, line.bounds));
    this.paintLines(pen, lines, ink("line"), 0.6 * pixel);
    pen.lineWidth = pixel;
    paintBoxes(pen, view.boxes.filter((box) => overlap(seen, box)), ink, pixel);
    this.paintLines(pen, flowing, ink("flow"), 3 * pixel);
    if (hand) this.paintHand(pen, hand, ink, pixel);
  }

  paintLines(pen, lines, colour, width) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    for (const { points } of lines) {
      pen.moveTo(points[0].x, points[0].y);
      for (let i = 3; i < points.length; i += 3) pen.lineTo(points[i].x, points[i].y);
    }
    pen.stroke();
  }

  paintHand(pen, box, ink, pixel) {
    pen.fillStyle = ink("wash");
    pen.strokeStyle = ink("flow");
    pen.lineWidth = 3 * pixel;
    const room = 4 * pixel;
    pen.beginPath();
    pen.rect(box.x - room, box.y - room, box.w + 2 * room, box.h + 2 * room);
    pen.fill();
    pen.stroke();
  }
}
