"""What a task of anybody declares, yields and answers, checked; its exceptions named by task, sample and file."""
