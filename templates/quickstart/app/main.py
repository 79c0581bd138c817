"""The routes, and the upgrade when the application starts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from asyncmig import Migrator
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import engine, get_session
from app.models import Item
from app.settings import PROJECT


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # Safe with many replicas: one migrates, the others wait. With nothing to do no lock is taken.
    await Migrator(PROJECT / "asyncmig.toml", engine=engine).upgrade("head")
    yield
    await engine.dispose()


app = FastAPI(title="Items", lifespan=lifespan)
Session = Annotated[AsyncSession, Depends(get_session)]


class NewItem(BaseModel):
    name: str = Field(min_length=1, max_length=100)
    price_cents: int = Field(ge=0)


class SavedItem(NewItem):
    model_config = ConfigDict(from_attributes=True)

    id: int


@app.get("/items")
async def list_items(session: Session) -> list[SavedItem]:
    items = await session.scalars(select(Item).order_by(Item.id))
    return [SavedItem.model_validate(item) for item in items]


@app.post("/items", status_code=201)
async def create_item(new: NewItem, session: Session) -> SavedItem:
    item = Item(name=new.name, price_cents=new.price_cents)
    session.add(item)
    try:
        await session.commit()
    except IntegrityError:
        raise HTTPException(
            409, f"There is an item called {new.name} already."
        ) from None
    return SavedItem.model_validate(item)
