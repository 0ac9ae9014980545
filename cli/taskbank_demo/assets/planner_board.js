// The board of tasks: reads its rows back into the value, a moment after the last change.
const rowsOf = (part) => [...part.querySelectorAll("tr[data-task]")];
const solveOf = (row) => row.querySelector("[data-solve]");
const numberOf = (field) => (Number.isFinite(field.valueAsNumber) ? field.valueAsNumber : null);

const read = (row) => ({
  task: row.dataset.task,
  solve: solveOf(row).checked,
  use: row.querySelector("[data-use]").value,
  importance: numberOf(row.querySelector("[data-importance]")),
  cost: numberOf(row.querySelector("[data-cost]")),
  owned: numberOf(row.querySelector("[data-owned]")),
});

const mark = () => {
  for (const body of element.querySelectorAll("tbody")) {
    const boxes = rowsOf(body).map(solveOf).filter((box) => !box.disabled);
    const all = body.querySelector("[data-group]");
    const ticked = boxes.filter((box) => box.checked).length;
    if (all) {
      all.checked = ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    }
  }
  const boxes = rowsOf(element).map(solveOf).filter((box) => !box.disabled);
  const count = element.querySelector(".pl-count");
  if (count) count.textContent = `${boxes.filter((box) => box.checked).length} of ${boxes.length} targets`;
};

let waiting;
const tell = (delay) => {
  mark();
  clearTimeout(waiting);
  waiting = setTimeout(() => { props.value = rowsOf(element).map(read); }, delay);
};

const tick = (rows, on) => {
  for (const row of rows) if (!solveOf(row).disabled) solveOf(row).checked = on;
};

element.addEventListener("input", (event) => {
  const field = event.target;
  if (field.matches("[data-group]")) tick(rowsOf(field.closest("tbody")), field.checked);
  tell(field.type === "number" ? 300 : 80);
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-all]");
  if (!button) return;
  tick(rowsOf(element), button.dataset.all === "true");
  tell(0);
});
// A new board keeps the old fields' state unless they are set back to what it says.
watch("markup", () => {
  clearTimeout(waiting);
  for (const field of element.querySelectorAll("input")) {
    if (field.type === "checkbox") field.checked = field.defaultChecked;
    else field.value = field.defaultValue;
  }
  for (const choice of element.querySelectorAll("select")) {
    choice.value = (choice.querySelector("option[selected]") || choice.options[0]).value;
  }
  mark();
});
mark();
