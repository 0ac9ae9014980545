// The gallery: a click on a card asks for the result in full. Where it lies below the window, a request that
// begins moves it into view.
element.addEventListener('click', (event) => {
  const card = event.target.closest('button[data-task]');
  if (card) trigger('open', { task: card.dataset.task });
});

let running = false;
watch('value', () => {
  const before = running;
  running = element.querySelector('.tb-running') !== null;
  const top = element.getBoundingClientRect().top;
  if (!running || before || top < 0.8 * window.innerHeight) return;
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  element.closest('.tb-main').scrollIntoView({ behavior: calm ? 'auto' : 'smooth' });
});
