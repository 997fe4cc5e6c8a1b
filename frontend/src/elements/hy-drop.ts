/**
 * A drop zone around a file field: <hy-drop><label class="drop">{% icon "file-upload" size=28 %}<b>…</b><input type="file" name="file"></label></hy-drop>
 * data-submit sends the form at once when a file is chosen. The chosen name appears in [data-name] when present.
 */
class HyDrop extends HTMLElement {
  connectedCallback(): void {
    const zone = this.querySelector<HTMLElement>(".drop");
    const input = this.querySelector<HTMLInputElement>("input[type=file]");
    if (!zone || !input) return;
    for (const name of ["dragenter", "dragover"])
      zone.addEventListener(name, (event) => {
        event.preventDefault();
        zone.classList.add("drop-over");
      });
    for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("drop-over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      const files = event.dataTransfer?.files;
      if (!files?.length) return;
      input.files = files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
    input.addEventListener("change", () => this.#chosen(input, zone));
  }

  #chosen(input: HTMLInputElement, zone: HTMLElement): void {
    const names = [...(input.files ?? [])].map((file) => file.name).join(", ");
    let label = zone.querySelector<HTMLElement>("[data-name]");
    if (!label) {
      label = document.createElement("span");
      label.dataset.name = "";
      zone.append(label);
    }
    label.className = "drop-file";
    label.textContent = names;
    if (names && this.hasAttribute("data-submit")) input.form?.requestSubmit();
  }
}

if (!customElements.get("hy-drop")) customElements.define("hy-drop", HyDrop);
