from django.urls import URLPattern, URLResolver, path

from hongyan.web.commerce import files, orders, shops

app_name = "commerce"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", orders.index, name="index"),
    path("orders/<uuid:public_id>/", orders.order, name="order"),
    path("orders/<uuid:public_id>/deletion", orders.order_delete, name="order_delete"),
    path("products/", orders.products, name="products"),
    path("products/<uuid:public_id>/", orders.product, name="product"),
    path("import/", files.upload, name="import_new"),
    path("import/<uuid:public_id>/", files.show, name="import"),
    path("import/<uuid:public_id>/reading/", files.reading, name="reading"),
    path("import/<uuid:public_id>/columns/", files.columns, name="columns"),
    path("import/<uuid:public_id>/trial/", files.trial, name="trial"),
    path("import/<uuid:public_id>/progress", files.progress, name="progress"),
    path("import/<uuid:public_id>/run", files.run, name="run"),
    path("import/<uuid:public_id>/pause", files.pause, name="pause"),
    path("import/<uuid:public_id>/resumption", files.resume, name="resume"),
    path("import/<uuid:public_id>/cancellation", files.cancel, name="cancel"),
    path("shops/", shops.index, name="shops"),
    path("shops/new/", shops.new, name="shop_new"),
    path("shops/<uuid:public_id>/", shops.show, name="shop"),
    path("shops/<uuid:public_id>/progress", shops.progress, name="shop_progress"),
    path("shops/<uuid:public_id>/keys", shops.change, name="shop_change"),
    path("shops/<uuid:public_id>/test", shops.test, name="shop_test"),
    path("shops/<uuid:public_id>/past", shops.backfill, name="shop_backfill"),
    path("shops/<uuid:public_id>/disconnection", shops.disconnect, name="shop_disconnect"),
    path("privacy/", shops.privacy, name="privacy"),
    path("privacy/<uuid:public_id>/", shops.privacy_task, name="privacy_task"),
    path("currency/", shops.currency, name="currency"),
]
