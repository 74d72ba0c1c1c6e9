"""What is asked: the exercises, a module for each subject, in the order of the course."""

from ..task import Task
from . import (
    averages,
    bugs,
    capstone,
    corrections,
    cosine,
    descending,
    failing,
    gradients,
    hat,
    memory,
    rates,
    steps,
    torch_step,
    tuning,
)

EXERCISES: dict[str, Task] = {
    task.name: task
    for room in (
        descending,
        gradients,
        averages,
        corrections,
        steps,
        hat,
        bugs,
        rates,
        cosine,
        failing,
        tuning,
        memory,
        torch_step,
        capstone,
    )
    for task in vars(room).values()
    if isinstance(task, Task)
}
