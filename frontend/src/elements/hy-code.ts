import { toast } from "../toast";
import { say } from "../words";

/** Adds copying to {% code text %}. */
class HyCode extends HTMLElement {
  connectedCallback(): void {
    this.querySelector("[data-copy]")?.addEventListener("click", () => void this.#copy());
  }

  async #copy(): Promise<void> {
    const lines = [...this.querySelectorAll(".code-line")].map((line) => line.textContent?.replace(/\n$/, "") ?? "");
    await navigator.clipboard.writeText(lines.join("\n"));
    toast(say("已复制", "Copied"), "ok");
  }
}

if (!customElements.get("hy-code")) customElements.define("hy-code", HyCode);
