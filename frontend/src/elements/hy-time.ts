import { locale } from "../words";

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

/** "3 minutes ago" for anything within a week; older times keep the exact date the server wrote. */
export function describe(at: Date, now: Date): string | null {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  if (Math.abs(seconds) > 7 * 86400) return null;
  for (const [unit, size] of STEPS)
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  return relative.format(0, "minute").replace("此刻", "刚刚").replace("this minute", "just now");
}

/** <hy-time><time datetime="…" title="exact">exact</time></hy-time>, made by {% ago value %}. */
class HyTime extends HTMLElement {
  #timer = 0;

  connectedCallback(): void {
    this.#show();
    this.#timer = window.setInterval(() => this.#show(), 60_000);
  }

  disconnectedCallback(): void {
    window.clearInterval(this.#timer);
  }

  #show(): void {
    const time = this.querySelector("time");
    if (!time) return;
    const words = describe(new Date(time.dateTime), new Date());
    time.textContent = words ?? time.title;
  }
}

if (!customElements.get("hy-time")) customElements.define("hy-time", HyTime);
