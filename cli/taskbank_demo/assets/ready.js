// A file that was made to be downloaded is downloaded when it arrives.
watch('value', () => element.querySelector('a[download]')?.click());
