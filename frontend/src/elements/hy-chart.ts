import type { ChartInput } from "../charts/options";

/**
 * Draws the chart of {% chart %}; ECharts is fetched only when one comes into view. The table behind it stays for
 * screen readers, print, and when scripts fail.
 */
class HyChart extends HTMLElement {
  #observer: IntersectionObserver | null = null;
  #drawn: { resize(): void; redraw(): void; dispose(): void } | null = null;
  #resize: ResizeObserver | null = null;
  #scheme = matchMedia("(prefers-color-scheme: dark)");
  #repaint = (): void => this.#drawn?.redraw();

  connectedCallback(): void {
    this.#observer = new IntersectionObserver(
      (seen) => {
        if (seen.some((entry) => entry.isIntersecting)) void this.#draw();
      },
      { rootMargin: "400px" },
    );
    this.#observer.observe(this);
    document.addEventListener("hy:theme", this.#repaint);
    this.#scheme.addEventListener("change", this.#repaint);
  }

  disconnectedCallback(): void {
    this.#observer?.disconnect();
    this.#resize?.disconnect();
    this.#drawn?.dispose();
    this.#drawn = null;
    document.removeEventListener("hy:theme", this.#repaint);
    this.#scheme.removeEventListener("change", this.#repaint);
  }

  async #draw(): Promise<void> {
    this.#observer?.disconnect();
    const canvas = this.querySelector<HTMLElement>(".chart-canvas");
    const source = this.querySelector("script[type='application/json']")?.textContent;
    if (!canvas || !source) return;
    const { draw } = await import("../charts/draw");
    canvas.hidden = false;
    const input = { ...(JSON.parse(source) as ChartInput), kind: this.dataset.kind ?? "line" } as ChartInput;
    this.#drawn = draw(canvas, input);
    this.#resize = new ResizeObserver(() => this.#drawn?.resize());
    this.#resize.observe(canvas);
  }
}

if (!customElements.get("hy-chart")) customElements.define("hy-chart", HyChart);
