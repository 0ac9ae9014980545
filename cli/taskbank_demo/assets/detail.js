// The dialog of a result: it opens when its content arrives, and reads values where the pointer is.
const ask = { waiting: false, next: null };
let pinned = null;

const show = () => {
  const dialog = element.querySelector('dialog');
  pinned = null;
  if (dialog && !dialog.open) dialog.showModal();
};

const read = async (pick, x, y) => {
  const { token, task } = pick.closest('dialog').dataset;
  ask.next = { token, task, x, y };
  if (ask.waiting) return;
  ask.waiting = true;
  while (ask.next) {
    const asked = ask.next;
    ask.next = null;
    const answer = await server.value_at(asked).catch(() => null);
    const place = element.querySelector('.tb-readout-place');
    if (!answer || !place) continue;
    place.textContent = answer.place;
    element.querySelector('.tb-readout-value').textContent = answer.value;
  }
  ask.waiting = false;
};

const clamp = (share) => Math.min(Math.max(share, 0), 1);

const moveTo = (pick, x, y) => {
  const cross = pick.querySelector('.tb-cross');
  cross.hidden = false;
  cross.style.insetInlineStart = `${100 * x}%`;
  cross.style.insetBlockStart = `${100 * y}%`;
  read(pick, x, y);
};

const shareOf = (pick, event) => {
  const box = pick.getBoundingClientRect();
  return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
};

element.addEventListener('click', (event) => {
  const dialog = event.target.closest('dialog');
  const pick = event.target.closest('.tb-pick');
  if (pick) {
    pinned = shareOf(pick, event);
    moveTo(pick, ...pinned);
  } else if (event.target.closest('.tb-close') || event.target === dialog) {
    dialog.close();
  }
});

element.addEventListener('pointermove', (event) => {
  const pick = event.target.closest('.tb-pick');
  if (pick && event.pointerType === 'mouse' && !pinned) moveTo(pick, ...shareOf(pick, event));
});

element.addEventListener('pointerout', (event) => {
  if (event.target.closest('.tb-pick') && !event.relatedTarget?.closest?.('.tb-pick')) pinned = null;
});

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

element.addEventListener('keydown', (event) => {
  const pick = event.target.closest('.tb-pick');
  const step = STEPS[event.key];
  if (!pick || !step) return;
  event.preventDefault();
  const pixels = event.shiftKey ? 16 : 1;
  const [x, y] = pinned ?? [0.5, 0.5];
  const move = (share, way, size) => clamp(share + (way * pixels) / Number(size));
  pinned = [move(x, step[0], pick.dataset.width), move(y, step[1], pick.dataset.height)];
  moveTo(pick, ...pinned);
});

watch('value', show);
