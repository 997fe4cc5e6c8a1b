/**
 * Improves a table: selection with a bulk bar, choice of columns, density.
 *
 *   <hy-table data-name="contacts">
 *     <div class="table-tools">…<span class="end" data-tools></span></div>
 *     <form method="post" action="…">
 *       <div class="table-scroll"><table class="table table-cards">
 *         <thead><tr><th class="col-check"><input type="checkbox" data-check-all aria-label="…"></th><th data-col="city">…
 *         <tbody><tr><td class="col-check"><input class="row-check" type="checkbox" name="ids" value="…" aria-label="…">
 *       <div class="bulk-bar" hidden><b data-count></b> … buttons …</div>
 *     </form>
 *   </hy-table>
 *
 * Columns with data-col may be hidden; the choice is remembered per data-name in this browser. Shift-click selects a range.
 */
class HyTable extends HTMLElement {
  #last = -1;

  connectedCallback(): void {
    this.addEventListener("change", (event) => this.#changed(event.target as Element));
    this.addEventListener("click", (event) => this.#clicked(event));
    this.#columns();
    this.#density();
    this.#showBulk();
  }

  get #checks(): HTMLInputElement[] {
    return [...this.querySelectorAll<HTMLInputElement>(".row-check")];
  }

  #changed(target: Element): void {
    if (target.matches("[data-check-all]"))
      for (const check of this.#checks) check.checked = (target as HTMLInputElement).checked;
    if (target.matches("[data-check-all], .row-check")) this.#showBulk();
    const column = (target as HTMLElement).dataset.column;
    if (column) this.#setColumn(column, (target as HTMLInputElement).checked);
  }

  #clicked(event: MouseEvent): void {
    const target = event.target as Element;
    if (target.matches(".row-check")) this.#range(event, this.#checks.indexOf(target as HTMLInputElement));
    const density = target.closest<HTMLElement>("[data-set-density]");
    if (density) {
      this.#store("density", density.dataset.setDensity ?? "");
      this.#density();
    }
    if (target.closest("[data-clear]")) {
      for (const check of this.querySelectorAll<HTMLInputElement>(".row-check, [data-check-all]"))
        check.checked = false;
      this.#showBulk();
    }
  }

  #range(event: MouseEvent, index: number): void {
    const checks = this.#checks;
    if (event.shiftKey && this.#last >= 0) {
      const [from, to] = [Math.min(this.#last, index), Math.max(this.#last, index)];
      for (const check of checks.slice(from, to + 1)) check.checked = checks[index]?.checked ?? false;
      this.#showBulk();
    }
    this.#last = index;
  }

  #showBulk(): void {
    const chosen = this.#checks.filter((check) => check.checked).length;
    const bar = this.querySelector<HTMLElement>(".bulk-bar");
    if (bar) bar.hidden = chosen === 0;
    for (const count of this.querySelectorAll("[data-count]")) count.textContent = String(chosen);
    const all = this.querySelector<HTMLInputElement>("[data-check-all]");
    if (all) {
      all.checked = chosen > 0 && chosen === this.#checks.length;
      all.indeterminate = chosen > 0 && chosen < this.#checks.length;
    }
    this.dispatchEvent(new CustomEvent("hy:selection", { bubbles: true, detail: { chosen } }));
  }

  /** Fills a menu <div data-columns-menu> with one tick per column. */
  #columns(): void {
    const menu = this.querySelector("[data-columns-menu]");
    const hidden = this.#hidden();
    for (const head of this.querySelectorAll<HTMLElement>("th[data-col]")) {
      const key = head.dataset.col ?? "";
      if (menu) menu.append(columnTick(key, head.textContent.trim(), !hidden.includes(key)));
      if (hidden.includes(key)) this.#toggle(head, true);
    }
  }

  #setColumn(key: string, shown: boolean): void {
    const hidden = this.#hidden().filter((name) => name !== key);
    if (!shown) hidden.push(key);
    this.#store("columns", hidden.join(","));
    const head = this.querySelector<HTMLElement>(`th[data-col="${CSS.escape(key)}"]`);
    if (head) this.#toggle(head, !shown);
  }

  #toggle(head: HTMLElement, hide: boolean): void {
    const row = head.parentElement as HTMLTableRowElement;
    const index = [...row.cells].indexOf(head as HTMLTableCellElement);
    for (const line of this.querySelectorAll<HTMLTableRowElement>("tr")) {
      const cell = line.cells[index];
      if (cell && line.cells.length > 1) cell.hidden = hide;
    }
  }

  #density(): void {
    const chosen = this.#read("density") || "comfortable";
    this.dataset.density = chosen;
    for (const button of this.querySelectorAll<HTMLElement>("[data-set-density]"))
      button.setAttribute("aria-pressed", String(button.dataset.setDensity === chosen));
  }

  #hidden(): string[] {
    return (this.#read("columns") ?? "").split(",").filter(Boolean);
  }

  #read(what: string): string | null {
    try {
      return localStorage.getItem(`hy-table.${this.dataset.name}.${what}`);
    } catch {
      return null; // storage refused: the choice lasts for this page
    }
  }

  #store(what: string, value: string): void {
    try {
      localStorage.setItem(`hy-table.${this.dataset.name}.${what}`, value);
    } catch {
      return; // storage refused: the choice lasts for this page
    }
  }
}

function columnTick(key: string, label: string, shown: boolean): HTMLElement {
  const line = document.createElement("label");
  line.className = "menu-item check";
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = shown;
  box.dataset.column = key;
  const words = document.createElement("span");
  words.textContent = label;
  line.append(box, words);
  return line;
}

if (!customElements.get("hy-table")) customElements.define("hy-table", HyTable);
